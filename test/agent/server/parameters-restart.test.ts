import { execa } from "execa";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import {
  parametersConfirmedSchema,
  parametersResultSchema,
} from "../../../model/parameters/protocol";
import { applyHba, hba, hbaPath, postgresLog, readHba } from "../../support/pg-hba/agent-rules";
import { docker, useServer, type CommandResult } from "../../support/servers/server";
import { until } from "../../support/time/until";
import { polling, limit, minute, second } from "../../support/time/limit.mjs";

const server = useServer();
const dataFolder = "/var/lib/postgresql/data/pgdata";

const ask = async (verb: string, settings: Record<string, string>): Promise<CommandResult> =>
  server.agent([verb], { server: server.name, settings });

async function apply(settings: Record<string, string>): Promise<{ restart: string[] }> {
  const said = await ask("settings", settings);
  const result = parametersResultSchema.parse(JSON.parse(said.stdout));
  // Its exit status is what the command of a stack goes by.
  expect(said).toMatchObject({ status: result.restart.length > 0 ? 3 : 0, stderr: "" });
  return result;
}

async function confirm(settings: Record<string, string>): Promise<string[]> {
  const said = await ask("settings-confirm", settings);
  expect(said).toMatchObject({ status: 0, stderr: "" });
  return parametersConfirmedSchema.parse(JSON.parse(said.stdout)).applied;
}

const restart = async (): Promise<unknown> => docker("restart", server.postgres);
const show = async (name: string): Promise<string> => server.sql("postgres", `SHOW ${name}`);
const filesOfOurs = async (): Promise<string[]> =>
  (await server.run(["bash", "-c", `cd ${dataFolder} && ls -d stagecraft*`])).stdout
    .trim()
    .split("\n");
const wholeFiles = ["stagecraft-defaults.conf", "stagecraft.conf"];

/** A session that stays open, as an application's pool has it. */
async function openSession(): Promise<Client> {
  await server.sql(
    "postgres",
    `SELECT $$CREATE ROLE visitor LOGIN PASSWORD 'keep open'$$ WHERE to_regrole('visitor') IS NULL \\gexec
     GRANT CONNECT ON DATABASE postgres TO visitor`,
  );
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const host = await docker("inspect", "--format", format, server.postgres);
  const client = new Client({ host, user: "visitor", password: "keep open", database: "postgres" });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

describe("a setting that needs a restart", () => {
  test("is named and leaves open connections alone, and is in force after the restart", async () => {
    const settings = { max_connections: "55", work_mem: "6 MB" };
    const session = await openSession();
    expect(await apply(settings)).toEqual({
      changed: true,
      restart: ["max_connections"],
      applied: ["work_mem"],
      removed: [],
    });
    expect((await session.query("SHOW max_connections")).rows).toEqual([
      { max_connections: "100" },
    ]);
    expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "6MB" }]);
    await session.end();

    const early = await ask("settings-confirm", settings);
    expect(early).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "PostgreSQL has not been restarted since its parameters were changed; restart its container, then confirm again\n",
    });
    expect(await apply(settings)).toMatchObject({ changed: false, restart: ["max_connections"] });
    await restart();
    expect(await confirm(settings)).toEqual(["max_connections", "work_mem"]);
    expect(await show("max_connections")).toBe("55");
    expect(await filesOfOurs()).toEqual(wholeFiles);
    expect(await apply(settings)).toMatchObject({ changed: false, restart: [] });
  });

  test("that goes away is named, too", async () => {
    await apply({ max_connections: "55" });
    await restart();
    await confirm({ max_connections: "55" });
    expect(await apply({})).toMatchObject({ restart: ["max_connections"] });
    await restart();
    expect(await confirm({})).toEqual([]);
    expect(await show("max_connections")).toBe("100");
  });

  test("that is taken back before the restart needs none", async () => {
    expect(await apply({ max_connections: "60" })).toMatchObject({ restart: ["max_connections"] });
    expect(await apply({})).toMatchObject({ changed: true, restart: [] });
    expect(await filesOfOurs()).toEqual(wholeFiles);
  });
});

describe("settings that PostgreSQL does not start with", () => {
  const seesNothingOdd = async (former: Record<string, string>): Promise<void> => {
    expect(await filesOfOurs()).toEqual(wholeFiles);
    expect(await apply(former)).toMatchObject({ changed: false, restart: [] });
  };

  test("are taken back at that start, and PostgreSQL's own words are told", async () => {
    // The trial finds the library, PostgreSQL does not.
    const copy = 'cp "$(pg_config --pkglibdir)/auto_explain.so" /var/lib/scratch/here.so';
    await docker("exec", server.scratch, "bash", "-c", copy);
    const former = { work_mem: "6 MB" };
    const bad = { ...former, shared_preload_libraries: "/var/lib/scratch/here.so" };
    await apply(former);
    expect(await apply(bad)).toMatchObject({ restart: ["shared_preload_libraries"] });
    await restart();
    const said = await ask("settings-confirm", bad);
    expect(said).toEqual({
      status: 1,
      stdout: "",
      stderr:
        'PostgreSQL does not start with postgres.settings; the previous parameters are restored: could not access file "/var/lib/scratch/here.so": No such file or directory\n',
    });
    expect(await show("shared_preload_libraries")).toBe("");
    expect(await show("work_mem")).toBe("6MB");
    expect(await apply({ work_mem: "7 MB" })).toMatchObject({ restart: [] });
    await seesNothingOdd({ work_mem: "7 MB" });
  });

  test("because of what is in the cluster are taken back as well", async () => {
    await apply({});
    await server.sql("postgres", "SELECT pg_create_physical_replication_slot('standby', true)");
    const bad = { archive_mode: "off", wal_level: "minimal", max_wal_senders: "0" };
    expect(await apply(bad)).toMatchObject({
      restart: ["archive_mode", "max_wal_senders", "wal_level"],
    });
    await restart();
    expect((await ask("settings-confirm", bad)).stderr).toBe(
      'PostgreSQL does not start with postgres.settings; the previous parameters are restored: physical replication slot "standby" exists, but "wal_level" < "replica" (Change "wal_level" to be "replica" or higher.)\n',
    );
    expect(await show("wal_level")).toBe("replica");
    await server.sql("postgres", "SELECT pg_drop_replication_slot('standby')");
    await apply({ work_mem: "8 MB" });
    await seesNothingOdd({ work_mem: "8 MB" });
  });

  test("are taken back a minute later when PostgreSQL does not come up at all", async () => {
    const former = { work_mem: "6 MB" };
    const settings = { ...former, max_connections: "70" };
    await apply(former);
    await apply(settings);
    await docker("stop", server.postgres);
    const said = await ask("settings-confirm", settings);
    expect(said.status).toBe(1);
    expect(said.stderr).toMatch(
      /^PostgreSQL did not start within 60 s of its restart \(.+\); the previous parameters are restored, and its container starts with them\n$/s,
    );
    await server.restart("postgres");
    await expect
      .poll(async () => (await server.trySql("postgres", "SELECT")).status, polling)
      .toBe(0);
    expect(await show("max_connections")).toBe("100");
    expect(await apply({})).toMatchObject({ restart: [] });
    expect(await filesOfOurs()).toEqual(wholeFiles);
  });
});

test("a second PostgreSQL does not start on the volume of one that runs, which goes on", async () => {
  const session = await openSession();
  const image = await docker("inspect", "--format", "{{.Image}}", server.postgres);
  const other = await execa(
    "docker",
    [
      ...["run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp"],
      ...[
        "--tmpfs",
        "/run/postgresql:uid=5432,gid=5432",
        "--label",
        `stagecraft.test=${server.resourcePrefix}`,
      ],
      ...["--volume", `${server.volume("data")}:/var/lib/postgresql/data`],
      ...[image, "timeout", `${limit(5 * minute) / second}`, "stagecraft-postgres", "fsync=off"],
    ],
    { reject: false },
  );
  expect(other).toMatchObject({
    exitCode: 75,
    stdout: "",
    stderr:
      "stagecraft-postgres: another PostgreSQL is running on this volume; two would corrupt it. Give this server another name, or stop the other one",
  });
  expect((await session.query("SELECT 1 AS answer")).rows).toEqual([{ answer: 1 }]);
  await session.end();
  await server.sql("postgres", "CHECKPOINT");
});

describe("access rules that PostgreSQL rejects at its start", () => {
  const bad = "host all all 10.0.0.0/8 radius radiusservers=nowhere.invalid radiussecrets=x";
  const restarts = async (): Promise<boolean> =>
    Number(await docker("inspect", "--format", "{{.RestartCount}}", server.postgres)) > 0;
  const agentLog = async (): Promise<string> =>
    (await execa("docker", ["logs", server.agentContainer], { all: true })).all;

  test.each([
    ["the last ones that it used", hba("host all all samenet scram-sha-256"), "true"],
    [
      "rules for the agent alone, when none are known",
      undefined,
      "rm /var/lib/stagecraft/pg_hba.conf",
    ],
  ])("are replaced by %s, and it starts", async (_, accepted, forget) => {
    if (accepted !== undefined) await applyHba(server, accepted);
    await server.run(["sh", "-c", `echo "${bad}" >>${hbaPath}; ${forget}`]);
    await docker("update", "--restart", "always", server.postgres);
    const { length } = await agentLog();
    await docker("restart", server.postgres);
    await until("a restart", restarts);
    await until("PostgreSQL", async () => (await server.trySql("postgres", "")).status === 0);
    expect((await agentLog()).slice(length)).toMatch(
      /PostgreSQL does not start with pg_hba\.conf: PostgreSQL rejects 1 line\n +line \d+ +could not translate RADIUS server name/,
    );
    const text = await readHba(server);
    if (accepted === undefined) expect(text).toMatch(/\nlocal +all +postgres +peer\n$/);
    else expect(text).toBe(accepted);
    await docker("update", "--restart", "no", server.postgres);
    expect(await applyHba(server, hba("host all all samenet scram-sha-256"))).toBeDefined();
  });
});

test.each([0, 150, 400, 800])(
  "a stop %i ms after a start with new settings is a gentle one",
  async (delay) => {
    const settings = { max_connections: "80", work_mem: `${delay + 100} kB` };
    await apply(settings);
    await docker("stop", server.postgres);
    await docker("start", server.postgres);
    // Before its first program has begun to run another one, a container loses signals.
    const begun = /bash|postgres -/;
    await expect.poll(async () => docker("top", server.postgres), polling).toMatch(begun);
    await sleep(delay);
    await docker("stop", "--time", `${limit(5 * minute) / second}`, server.postgres);
    const format = "{{.State.ExitCode}} {{.State.OOMKilled}}";
    // 130: the signal came before PostgreSQL had begun to do anything.
    expect(await docker("inspect", "--format", format, server.postgres)).toMatch(
      /^(?:0|130) false$/,
    );
    await server.restart("postgres");
    expect(await postgresLog(server)).not.toContain("not properly shut down");
    expect(await confirm(settings)).toEqual(["max_connections", "work_mem"]);
    expect(await apply({})).toMatchObject({ restart: ["max_connections"] });
    await restart();
    expect(await confirm({})).toEqual([]);
  },
);
