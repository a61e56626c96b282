import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { parametersResultSchema, type ParametersResult } from "../../../model/parameters/protocol";
import { observationSchema } from "../../../model/observation/observation";
import { parametersDrift } from "../../../model/parameters/drift";
import { renderParameters } from "../../../model/parameters/render";
import { docker, useServer, type CommandResult } from "../../support/servers/server";
import { polling } from "../../support/time/limit.mjs";

const server = useServer({ settings: ["work_mem=5MB", "shared_buffers=32MB"] });
const dataFolder = "/var/lib/postgresql/data/pgdata";

const ask = async (settings: Record<string, string>): Promise<CommandResult> =>
  server.agent(["settings"], { server: server.name, settings });

/** Without the lines about another change that goes first. */
const withoutWaiting = (stderr: string): string =>
  stderr.replaceAll(
    /^(?:another change .* is running; waiting for it|still waiting for process .*)\n/gm,
    "",
  );

/** Puts settings in force and gives the answer. */
async function apply(settings: Record<string, string>): Promise<ParametersResult> {
  const answer = await ask(settings);
  const said = { ...answer, stderr: withoutWaiting(answer.stderr) };
  const result = parametersResultSchema.parse(JSON.parse(said.stdout));
  // Its exit status is what the command of a stack goes by.
  expect(said).toMatchObject({ status: result.restart.length > 0 ? 3 : 0, stderr: "" });
  return result;
}

const show = async (name: string): Promise<string> => server.sql("postgres", `SHOW ${name}`);
const fileText = async (): Promise<string> =>
  (await server.run(["cat", `${dataFolder}/stagecraft.conf`])).stdout;
const filesOfOurs = async (): Promise<string[]> =>
  (await server.run(["bash", "-c", `cd ${dataFolder} && ls -d stagecraft*`])).stdout
    .trim()
    .split("\n");

afterEach(async () => {
  await apply({});
});

describe("settings", () => {
  test("are in force at once, and a second time changes nothing", async () => {
    const settings = { work_mem: "32 MB", statement_timeout: "90 min", jit: "off" };
    expect(await apply(settings)).toEqual({
      changed: true,
      restart: [],
      applied: ["jit", "statement_timeout", "work_mem"],
      removed: [],
    });
    expect([await show("work_mem"), await show("statement_timeout"), await show("jit")]).toEqual([
      "32MB",
      "90min",
      "off",
    ]);
    expect(await fileText()).toBe(renderParameters(settings));
    expect(await apply(settings)).toMatchObject({ changed: false });
  });

  test("outrank the defaults of the container, and leave them in force when they go", async () => {
    expect(await show("work_mem")).toBe("5MB");
    await apply({ work_mem: "32 MB" });
    expect(await apply({})).toEqual({ changed: true, restart: [], applied: [], removed: [] });
    expect(await show("work_mem")).toBe("5MB");
    expect(await filesOfOurs()).toEqual(["stagecraft-defaults.conf", "stagecraft.conf"]);
  });

  test.each([
    "it's",
    "\\",
    "a\\'b''c",
    "two\nlines",
    "# no comment",
    `"$user", public`,
    "$(reboot) `reboot` ${HOME}",
    "Grüße 🐘",
  ])("keep the value %j", async (value) => {
    await apply({ "shop.motto": value });
    expect(await show("shop.motto")).toBe(value);
  });

  test("of an extension are checked by the extension", async () => {
    const loaded = { session_preload_libraries: "auto_explain" };
    await apply({ ...loaded, "auto_explain.log_min_duration": "1 s" });
    expect(await show("auto_explain.log_min_duration")).toBe("1s");
    const bad = await ask({ ...loaded, "auto_explain.log_min_duration": "soon" });
    expect(bad).toEqual({
      status: 1,
      stdout: "",
      stderr:
        'PostgreSQL rejects postgres.settings; the previous parameters stay in effect: invalid value for parameter "auto_explain.log_min_duration": "soon"\n',
    });
    const unknown = await ask({ ...loaded, "auto_explain.log_max_duration": "1 s" });
    expect(unknown.stderr).toMatch(
      /: invalid configuration parameter name "auto_explain.log_max_duration", removing it/,
    );
    expect(await show("auto_explain.log_min_duration")).toBe("1s");
  });

  test("of another server are refused", async () => {
    const said = await server.agent(["settings"], { server: "production", settings: {} });
    expect(said.stderr).toMatch(/^the request is for server production, this is sct-/);
  });

  test("that no person may set are refused before anything is asked of PostgreSQL", async () => {
    const { stderr } = await ask({ port: "1", work_mem: "1 kB", hba_file: "/tmp/x" });
    expect(stderr).toBe(`the request does not fit this agent:
✖ is set by Stagecraft: it comes from postgres.port; leave it out
  → at settings.port
✖ must be from 64 kB to 2 TB, got "1 kB"
  → at settings.work_mem
✖ is set by Stagecraft: the rules come from pgHba; leave it out
  → at settings.hba_file
`);
  });
});

describe("what PostgreSQL alone can know", () => {
  test.each([
    [{ TimeZone: "Nowhere/Land" }, 'invalid value for parameter "TimeZone": "Nowhere/Land"'],
    [
      { shared_preload_libraries: "nonsense" },
      'could not access file "nonsense": No such file or directory',
    ],
    [
      { session_preload_libraries: "nonsense" },
      'could not access file "nonsense": No such file or directory',
    ],
    [
      { wal_level: "minimal", archive_mode: "off" },
      'WAL streaming ("max_wal_senders" > 0) requires "wal_level" to be "replica" or "logical"',
    ],
    [
      { max_connections: "3" },
      '"superuser_reserved_connections" (3) plus "reserved_connections" (0) must be less than "max_connections" (3)',
    ],
  ])("%j is refused in its own words, and nothing is changed", async (bad, words) => {
    await apply({ work_mem: "32 MB" });
    const said = await ask({ ...bad, work_mem: "64 MB" });
    expect(said).toEqual({
      status: 1,
      stdout: "",
      stderr: `PostgreSQL rejects postgres.settings; the previous parameters stay in effect: ${words}\n`,
    });
    expect(await fileText()).toBe(renderParameters({ work_mem: "32 MB" }));
    expect(await show("work_mem")).toBe("32MB");
    expect(await filesOfOurs()).toEqual(["stagecraft-defaults.conf", "stagecraft.conf"]);
  });

  test("a cache larger than any machine is refused before PostgreSQL is restarted", async () => {
    const { status, stderr } = await ask({ shared_buffers: "4000 GB" });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^PostgreSQL rejects postgres.settings; the previous parameters stay in effect: could not map anonymous shared memory: Cannot allocate memory \(.+\)\n$/,
    );
  });

  test("what only the real server cannot do is taken back when it cannot", async () => {
    // The library is where the trial finds it and PostgreSQL does not.
    const copy = 'cp "$(pg_config --pkglibdir)/auto_explain.so" /var/lib/scratch/here.so';
    await docker("exec", server.scratch, "bash", "-c", copy);
    await apply({ work_mem: "32 MB" });
    await server.sql("postgres", "ALTER SYSTEM SET work_mem = '7MB'");
    const said = await ask({
      session_preload_libraries: "/var/lib/scratch/here.so",
      work_mem: "64 MB",
    });
    expect(said).toEqual({
      status: 1,
      stdout: "",
      stderr:
        'PostgreSQL rejects postgres.settings; the previous parameters stay in effect: could not access file "/var/lib/scratch/here.so": No such file or directory\n',
    });
    expect(await show("session_preload_libraries")).toBe("");
    expect(await show("work_mem")).toBe("7MB");
    expect(await fileText()).toBe(renderParameters({ work_mem: "32 MB" }));
  });
});

describe("what somebody set by hand", () => {
  test("by ALTER SYSTEM is taken back and named", async () => {
    await apply({ work_mem: "32 MB" });
    await server.sql("postgres", "ALTER SYSTEM SET work_mem = '7MB'");
    await server.sql("postgres", "ALTER SYSTEM SET shop.motto = 'mine'");
    await server.sql("postgres", "SELECT pg_reload_conf()");
    await expect.poll(async () => show("work_mem"), polling).toBe("7MB");
    expect(await apply({ work_mem: "32 MB" })).toEqual({
      changed: true,
      restart: [],
      applied: ["work_mem"],
      removed: ["shop.motto", "work_mem"],
    });
    expect(await show("work_mem")).toBe("32MB");
  });

  test("in postgresql.conf behind our settings counts no more, and stays where others can read it", async () => {
    await apply({ work_mem: "32 MB" });
    const file = `${dataFolder}/postgresql.conf`;
    const add = "work_mem = '7MB'\nShared_Buffers '24MB'\n# by ada\n";
    await server.run(["bash", "-c", `printf "${add}" >> ${file}`]);
    await server.sql("postgres", "SELECT pg_reload_conf()");
    await expect.poll(async () => show("work_mem"), polling).toBe("7MB");
    const settings = observationSchema.parse(
      JSON.parse((await server.agent(["observe"])).stdout),
    ).settings;
    expect(parametersDrift(settings)).toEqual([
      "shared_buffers is set in postgresql.conf after Stagecraft's files and overrides them; up moves those to the end",
      "work_mem is set in postgresql.conf after Stagecraft's files and overrides them; up moves those to the end",
      "shared_buffers takes effect after a restart of PostgreSQL; up restarts it",
    ]);
    expect(await apply({ work_mem: "32 MB" })).toEqual({
      changed: true,
      restart: [],
      applied: ["work_mem"],
      removed: ["shared_buffers", "work_mem"],
    });
    expect(await show("work_mem")).toBe("32MB");
    const { stdout } = await server.run(["cat", file]);
    expect(stdout).toContain(add.replaceAll("\\n", "\n"));
    expect(await apply({ work_mem: "32 MB" })).toMatchObject({ changed: false });
  });

  test("in our file is overwritten", async () => {
    await apply({ work_mem: "32 MB" });
    await server.run(["bash", "-c", `echo "work_mem = '7MB'" >> ${dataFolder}/stagecraft.conf`]);
    expect(await apply({ work_mem: "32 MB" })).toMatchObject({ changed: true });
    expect(await show("work_mem")).toBe("32MB");
  });

  test("for a standby stays", async () => {
    await server.sql("postgres", "ALTER SYSTEM SET primary_slot_name = 'mine'");
    expect(await apply({})).toMatchObject({ removed: [] });
    expect(await show("primary_slot_name")).toBe("mine");
    await server.sql("postgres", "ALTER SYSTEM RESET primary_slot_name");
  });
});

describe("what is seen of settings", () => {
  const seen = async (): Promise<unknown> =>
    observationSchema.parse(JSON.parse((await server.agent(["observe"])).stdout)).settings;

  test("is the digest of their file, and what was done by hand", async () => {
    const settings = { work_mem: "32 MB" };
    await apply(settings);
    const sha256 = createHash("sha256").update(renderParameters(settings)).digest("hex");
    const file = { sha256, values: settings };
    expect(await seen()).toEqual({ ...file, alterSystem: [], pendingRestart: [] });

    await server.sql("postgres", "ALTER SYSTEM SET max_connections = 70");
    await server.sql("postgres", "ALTER SYSTEM SET work_mem = '7MB'");
    const altered = ["max_connections", "work_mem"];
    expect(await seen()).toEqual({ ...file, alterSystem: altered, pendingRestart: [] });
    await server.sql("postgres", "SELECT pg_reload_conf()");
    await expect
      .poll(seen, polling)
      .toEqual({ ...file, alterSystem: altered, pendingRestart: ["max_connections"] });

    expect(await apply(settings)).toMatchObject({ removed: altered, restart: [] });
    expect(await seen()).toEqual({ ...file, alterSystem: [], pendingRestart: [] });
  });

  test("is nothing while there is no file of ours", async () => {
    await server.run(["rm", `${dataFolder}/stagecraft.conf`]);
    expect(await seen()).toEqual({
      sha256: null,
      values: {},
      alterSystem: [],
      pendingRestart: [],
    });
  });
});

test("two changes at once come one after the other", async () => {
  const changes = ["8 MB", "16 MB", "24 MB"].map(async (value) => apply({ work_mem: value }));
  await Promise.all(changes);
  expect(["8MB", "16MB", "24MB"]).toContain(await show("work_mem"));
  expect(await fileText()).toBe(
    renderParameters({ work_mem: (await show("work_mem")).replace("MB", " MB") }),
  );
});

test("the containers have the defaults by arguments, and a cluster without our lines gets them", async () => {
  const ends = async (): Promise<string> =>
    (await server.run(["tail", "-n", "4", `${dataFolder}/postgresql.conf`])).stdout;
  const lines = `include_if_exists = 'stagecraft-defaults.conf'
include_if_exists = 'stagecraft-tls.conf'
include_if_exists = 'stagecraft.conf'
include_if_exists = 'stagecraft-archive.conf'
`;
  expect(await ends()).toBe(lines);
  await server.run([
    "bash",
    "-c",
    `sed -i "/stagecraft/d" ${dataFolder}/postgresql.conf; rm ${dataFolder}/stagecraft-defaults.conf; echo "work_mem = '9MB'" >> ${dataFolder}/postgresql.conf`,
  ]);
  await docker("restart", server.postgres);
  expect(await apply({})).toMatchObject({ restart: [] });
  expect(await ends()).toBe(lines);
  expect([await show("work_mem"), await show("shared_buffers"), await show("fsync")]).toEqual([
    "5MB",
    "32MB",
    "off",
  ]);
});
