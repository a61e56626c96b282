import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/time/until";
import { runDocker, smallDump, useProject, type SettingChanges } from "../support/stacks/project";

const project = useProject();
const stack = "prod";
const database = "timesheets";

const settings = (changes: SettingChanges = {}): SettingChanges => ({
  data: { dump: project.writeDump("small.sql", smallDump("small", 3)) },
  ...changes,
});

/** What a client in a container of the server's network says. */
async function client(user: string, password: string, options: string, sql = "SELECT 1") {
  const { network, postgres } = project.names(stack);
  const { text: image } = await runDocker("inspect", "--format", "{{.Image}}", postgres);
  return runDocker(
    ...["run", "--rm", "--user", "root", "--network", network, "--env", `PGPASSWORD=${password}`],
    ...["--volume", `${project.folder}:/ca:ro`, "--entrypoint", "psql", image, "-XAtq"],
    ...[`host=${postgres} user=${user} dbname=${database} ${options}`, "-c", sql],
  );
}

const superuser = async (sql: string): Promise<string> => project.psql(stack, sql, "postgres");
const startTime = "SELECT pg_postmaster_start_time()";

beforeAll(async () => {
  await project.makeStack(stack, settings());
  expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
  writeFileSync(join(project.folder, "ca.pem"), `${await project.output(stack, "ca")}\n`);
});

describe("a production server", () => {
  const { application } = project.passwords;

  test("lets the application in over TLS that it can check, and not without TLS", async () => {
    const checked = "sslmode=verify-full sslrootcert=/ca/ca.pem";
    expect(await client(database, application, checked)).toMatchObject({ exitCode: 0, text: "1" });
    const { text } = await client(database, application, "sslmode=disable");
    expect(text).toMatch(/no pg_hba.conf entry for host .* no encryption/);
  });

  test("tells the operator who may come in, and what clients check its certificate with", async () => {
    const { text } = await project.stagecraft("access", stack);
    expect(text.split("\n").map((line) => line.trimEnd())).toEqual([
      "pg_hba of prod",
      "                          application samenet   everyone else",
      "  timesheets (app)        scram, TLS            rejected",
      "  timesheets (readonly)   scram, TLS            rejected",
      "  timesheets (monitor)    scram, TLS            rejected",
      "  replication             rejected              rejected",
      "  no required connection is locked out",
    ]);
    expect((await project.stagecraft("ca", stack)).text).toBe(await project.output(stack, "ca"));
  });

  test("tells the operator which upgrade scripts are pending, and tries them on a copy", async () => {
    const scripts = join(project.folder, "upgrades");
    mkdirSync(scripts);
    writeFileSync(join(scripts, "upgrade-1.9-1.10.sql"), "CREATE TABLE later (id int);\n");
    writeFileSync(join(scripts, "upgrade-1.10-1.11.sql"), "SELECT 1;\n\nDROP TABLE nothing;\n");
    const upgrades = { folder: "upgrades", baseline: "1.9" };
    project.reconfigure(stack, settings({ upgrades }));
    expect(await project.stagecraft("upgrades", stack)).toEqual({
      exitCode: 0,
      text: [
        "upgrade scripts of prod   database at 1.9",
        "  pending  upgrade-1.9-1.10.sql",
        "  pending  upgrade-1.10-1.11.sql",
        "The next refresh applies the pending scripts. To try them on a copy: npx stagecraft upgrades prod --dry-run",
      ].join("\n"),
    });
    const tried = await project.stagecraft("upgrades", stack, "--dry-run");
    expect(tried.exitCode).toBe(1);
    expect(tried.text).toContain(
      "dry run on a copy of timesheets, which has been removed\n  ✔  upgrade-1.9-1.10.sql  ",
    );
    expect(tried.text).toContain(
      '  script    upgrade-1.10-1.11.sql, line 3\n  cause     42P01  table "nothing" does not exist   DROP TABLE nothing\n',
    );
    expect(await project.psql(stack, "SELECT to_regclass('later') IS NULL")).toBe("t");
  });

  test("lets the superuser in from nowhere but the socket", async () => {
    const { text } = await client("postgres", "anything", "sslmode=require");
    expect(text).toContain("pg_hba.conf rejects connection");
  });

  test("takes a new rule without a restart, shows who gains by it, and then has nothing to do", async () => {
    const started = await superuser(startTime);
    const line = "hostssl timesheets timesheets_readonly 192.0.2.0/24 scram-sha-256";
    project.reconfigure(stack, settings({ pgHba: { rules: [line] } }));
    expect((await project.preview(stack)).text).toContain(
      "▲ gains access: readonly from 192.0.2.0/24",
    );
    expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
    const rules = "SELECT count(*) FROM pg_hba_file_rules WHERE address = '192.0.2.0'";
    expect(await superuser(rules)).toBe("1");
    expect(await superuser(startTime)).toBe(started);
    expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  });

  test("refuses every wrong line at once, before anything is touched", async () => {
    const before = await superuser(
      "SELECT string_agg(raw, '' ORDER BY n) FROM (SELECT line_number AS n, options::text || auth_method AS raw FROM pg_hba_file_rules) AS r",
    );
    const rules = [
      "host all all 0.0.0.0/0 trust",
      "hostssl all all 10.0.0.0 scram-sha-256",
      "host all all samenet scram",
    ];
    project.reconfigure(
      stack,
      settings({
        pgHba: { rules },
        postgres: {
          port: project.port(stack),
          settings: { sharedBufers: "1 GB", workMem: "1 XB" },
        },
      }),
    );
    const { exitCode, text } = await project.up(stack);
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/pgHba\.rules\[1\] +hostssl all all 10\.0\.0\.0 scram-sha-256: /);
    expect(text).toMatch(/pgHba\.rules\[2\] +host all all samenet scram: /);
    expect(text).toMatch(
      /postgres\.settings\.sharedBufers +unknown parameter; did you mean sharedBuffers\?/,
    );
    expect(text).toMatch(/postgres\.settings\.workMem +/);
    expect(
      await superuser(
        "SELECT string_agg(raw, '' ORDER BY n) FROM (SELECT line_number AS n, options::text || auth_method AS raw FROM pg_hba_file_rules) AS r",
      ),
    ).toBe(before);
    project.reconfigure(stack, settings({ pgHba: { rules: rules.slice(0, 1) } }));
    expect((await project.up(stack)).text).toMatch(
      /pgHba\.rules\[0\] +host all all 0\.0\.0\.0\/0 trust: a production server must not trust a network/,
    );
  });

  test("says which setting needs a restart, and restarts PostgreSQL in place", async () => {
    const { text: id } = await runDocker(
      "inspect",
      "--format",
      "{{.Id}}",
      project.names(stack).postgres,
    );
    const postgres = { port: project.port(stack), memory: "256 MB" };
    project.reconfigure(
      stack,
      settings({ postgres: { ...postgres, settings: { workMem: "5 MB", maxConnections: 90 } } }),
    );
    expect((await project.preview(stack)).text).toMatch(
      /parameters: work_mem by a reload, no connection is closed; max_connections by a restart, all connections are closed \(\d+ connections? now\)/,
    );
    expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
    expect(await superuser("SHOW max_connections")).toBe("90");
    expect(await superuser("SHOW work_mem")).toBe("5MB");
    expect(
      await runDocker("inspect", "--format", "{{.Id}}", project.names(stack).postgres),
    ).toMatchObject({ text: id });
    expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  });
});

test("both containers run without root, rights or a place to write but their volumes", async () => {
  for (const container of [project.names(stack).agent, project.names(stack).postgres]) {
    const script =
      "exec 2>&1; id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/1/status; ulimit -u; touch /x";
    const { exitCode, text } = await runDocker("exec", container, "bash", "-c", script);
    expect(exitCode).not.toBe(0);
    expect(text.split("\n")).toEqual([
      "5432",
      "CapEff:\t0000000000000000",
      "CapBnd:\t0000000000000000",
      "NoNewPrivs:\t1",
      "4096",
      "touch: cannot touch '/x': Read-only file system",
    ]);
    const logging = await runDocker(
      "inspect",
      "--format",
      "{{json .HostConfig.LogConfig}}",
      container,
    );
    expect(JSON.parse(logging.text)).toMatchObject({
      Type: "json-file",
      Config: { "max-size": expect.stringMatching(/^\d+m$/) as string },
    });
  }
  expect(await superuser("SHOW data_checksums")).toBe("on");
});

test("what was changed by hand is seen at preview, and mended", async () => {
  const { postgres } = project.names(stack);
  const file = "/var/lib/postgresql/data/pgdata/pg_hba.conf";
  await runDocker("exec", postgres, "sh", "-c", `echo "host all all 0.0.0.0/0 trust" >> ${file}`);
  await superuser("ALTER SYSTEM SET work_mem = '64MB'");
  await superuser("SELECT pg_reload_conf()");
  await superuser(`ALTER ROLE ${database} SUPERUSER`);
  const { text } = await project.preview(stack);
  expect(text).toContain(
    "pg_hba.conf of prod was edited manually; the next up overwrites the change",
  );
  expect(text).toContain("work_mem was set by ALTER SYSTEM; up resets it");
  expect(text).toContain(`role ${database} is a superuser; up corrects it`);
  expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
  expect(await superuser("SHOW work_mem")).toBe("5MB");
  expect(
    await superuser("SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'trust'"),
  ).toBe("0");
  expect(await superuser(`SELECT rolsuper FROM pg_roles WHERE rolname = '${database}'`)).toBe("f");
  expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("rules with which PostgreSQL does not start are seen at preview, and up brings it back", async () => {
  const { agent, postgres } = project.names(stack);
  const file = "/var/lib/postgresql/data/pgdata/pg_hba.conf";
  const line =
    "host all all 10.0.0.0/8 radius radiusservers=radius.office.example radiussecrets=s3cret";
  project.reconfigure(stack, settings({ pgHba: { rules: [line] } }));
  const { exitCode, text } = await project.up(stack);
  expect(exitCode).not.toBe(0);
  expect(text).toContain(
    'could not translate RADIUS server name "radius.office.example" to address',
  );
  project.reconfigure(stack, settings());
  // By hand, past the check; the agent's main process, which would put it right within seconds, is suspended.
  const serve = (signal: string): string =>
    `for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline | grep -q 'agent.j[s] serve' && kill -${signal} \${p#/proc/}; done; true`;
  await runDocker("exec", agent, "sh", "-c", serve("STOP"));
  await runDocker("exec", postgres, "sh", "-c", `echo "${line}" >> ${file}`);
  await runDocker("restart", postgres);
  const restarts = async (): Promise<boolean> =>
    Number((await runDocker("inspect", "--format", "{{.RestartCount}}", postgres)).text) > 1;
  await until("PostgreSQL fails to start", restarts);
  expect((await project.preview(stack)).text).toMatch(
    /prod-postgres restarts again and again, because PostgreSQL does not start: could not load .*pg_hba\.conf/,
  );
  const repaired = await project.up(stack);
  expect(repaired.exitCode, repaired.text).toBe(0);
  await runDocker("exec", agent, "sh", "-c", serve("CONT"));
  expect(
    await superuser("SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'radius'"),
  ).toBe("0");
  expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("no password stands in the state, in what docker shows, in logs, process lists or errors", async () => {
  const { agent, postgres } = project.names(stack);
  const places = await Promise.all([
    project.pulumi("stack", "export", "--stack", stack),
    project.pulumi("stack", "history", "--stack", stack),
    runDocker("inspect", agent, postgres),
    runDocker("logs", agent),
    runDocker("logs", postgres),
    runDocker("top", agent, "-eo", "pid,args"),
    runDocker("top", postgres, "-eo", "pid,args"),
    runDocker(
      "exec",
      agent,
      "sh",
      "-c",
      "grep -rh . /var/lib/stagecraft/logs /var/lib/stagecraft/reports || true",
    ),
  ]);
  for (const { exitCode, text } of places) expect(exitCode, text).toBe(0);
  const all = [...places.map(({ text }) => text), project.printed].join("\n");
  expect(all).toContain("STAGECRAFT_SERVER=prod");
  expect(all).toContain("a production server must not trust a network");
  for (const password of Object.values(project.passwords)) expect(all).not.toContain(password);
});

test("a new password is in force at once, and the former one no longer", async () => {
  project.reconfigure(stack, settings({ people: { iris: "HelpDesk" } }));
  await project.pulumi(
    "config",
    "set",
    "--secret",
    "--path",
    "passwords.application",
    "a new one, and longer",
    "--stack",
    stack,
  );
  const [path, password] = ["passwords.iris", "of iris's own"];
  await project.pulumi("config", "set", "--secret", "--path", path, password, "--stack", stack);
  const up = await project.up(stack);
  expect(up, up.text).toMatchObject({ exitCode: 0 });
  expect(await client(database, "a new one, and longer", "sslmode=require")).toMatchObject({
    text: "1",
  });
  expect((await client(database, project.passwords.application, "sslmode=require")).text).toContain(
    "password authentication failed",
  );
});

test("a user is removed from the stack files and the servers in one step", async () => {
  const canLogin = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'iris'";
  expect(await superuser(canLogin)).toBe("t");
  expect((await project.stagecraft("access", stack)).text).toContain(
    "  iris, HelpDesk may read statistics\n",
  );
  const { exitCode, text } = await project.stagecraft("offboard", "iris");
  expect(exitCode, text).toBe(0);
  expect(text).toContain("iris was removed from Pulumi.prod.yaml");
  expect(await superuser(canLogin)).toBe("f");
  expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  expect((await project.stagecraft("offboard", "iris")).text).toContain(
    'no stack file has a user "iris" in people',
  );
});
