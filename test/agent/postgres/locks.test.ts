import { beforeAll, describe, expect, test } from "vitest";
import { advisoryLocks, databaseLock } from "../../../agent/postgres/advisory-locks";
import { ownDatabase } from "../../../agent/postgres/own-database";
import { observationSchema } from "../../../model/observation/observation";
import { monitorRole } from "../../../model/roles/names";
import { backUpWell } from "../../support/backups/agent-backups";
import { verifyBackup } from "../../support/backups/dumped-backup";
import { holdSession } from "../../support/databases/held-session";
import { plainDump } from "../../support/databases/shop";
import { useServer, type CommandResult } from "../../support/servers/server";
import { until } from "../../support/time/until";

const server = useServer();
const monitor = { user: monitorRole, password: "of the monitor" };
const passwords = { application: "of the application", readonly: "of the reader" };

/** What everybody who knows the source takes in a database that he may enter. */
const everyLock = [
  ...Object.values(advisoryLocks),
  ...["shop", "shop__checking", "shop__incoming"].map(databaseLock),
].map((key) => `pg_advisory_lock(${key.join(", ")})`);

const apply = async (): Promise<CommandResult> =>
  server.makeRoles({ database: "shop", ...passwords, monitor: monitor.password });

const restore = async (rows: number): Promise<void> => {
  const lines = Array.from({ length: rows }, (_, i) => `${i}\n`).join("");
  const dump = plainDump(
    `CREATE TABLE public.t (id int);\nCOPY public.t FROM stdin;\n${lines}\\.\n`,
  );
  const { result } = await server.restore({ database: "shop", dump: Buffer.from(dump) });
  expect(result.result, result.text).toBe("restored");
};

beforeAll(async () => {
  expect(await apply()).toMatchObject({ status: 0 });
  await restore(1);
});

test("the monitor's password does not stop roles, restores, backups and verifications", async () => {
  const held = server.as(
    { ...monitor, database: "postgres" },
    `SELECT ${everyLock.join(", ")}; SELECT pg_sleep(7200)`,
  );
  const holders = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid IN
    (SELECT pid FROM pg_stat_activity WHERE usename = '${monitorRole}' AND datname = 'postgres')`;
  await until(
    "the monitor holds every lock",
    async () => (await server.sql("postgres", holders)) === String(everyLock.length),
  );
  const { backups } = observationSchema.parse(JSON.parse((await server.agent(["observe"])).stdout));
  expect(backups.running).toBe(null);
  expect(await apply()).toMatchObject({ status: 0, stderr: "" });
  await restore(2);
  const { id } = await backUpWell(server);
  expect((await verifyBackup(server, id)).result?.verification).toMatchObject({
    result: "passed",
    restored: true,
  });
  expect(await server.sql("postgres", holders)).toBe(String(everyLock.length));
  await server.sql(
    "postgres",
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${monitorRole}'`,
  );
  await held;
});

describe("the agent's own database", () => {
  const facts = `SELECT datistemplate, datallowconn, datdba, (SELECT count(*) FROM aclexplode(datacl) WHERE grantee <> datdba)
    FROM pg_database WHERE datname = '${ownDatabase}'`;

  test("lets nobody in, and is in no list and in no backup", async () => {
    for (const login of [monitor, { user: "shop", password: passwords.application }]) {
      const { stderr } = await server.as({ ...login, database: ownDatabase }, "SELECT 1");
      expect(stderr).toContain(`permission denied for database "${ownDatabase}"`);
    }
    expect(await server.sql("postgres", facts)).toBe("t|t|10|0");
    expect(await server.databases()).not.toContain(ownDatabase);
    const { databases } = await backUpWell(server);
    expect(databases.map(({ name }) => name)).not.toContain(ownDatabase);
  });

  test("is closed again by the next call, and the sessions of those who were let in end", async () => {
    await server.sql(
      "postgres",
      `GRANT CONNECT ON DATABASE ${ownDatabase} TO ${monitorRole} WITH GRANT OPTION; GRANT ALL ON DATABASE ${ownDatabase} TO PUBLIC;
       ALTER DATABASE ${ownDatabase} OWNER TO shop_owner`,
    );
    const [key] = [advisoryLocks.roles];
    const inside = server.as(
      { ...monitor, database: ownDatabase },
      `SELECT pg_advisory_lock(${key.join(", ")}); SELECT pg_sleep(7200)`,
    );
    const holds = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid IN (SELECT pid FROM pg_stat_activity WHERE usename = '${monitorRole}')`;
    await until("the lock", async () => (await server.sql("postgres", holds)) === "1");
    expect(await apply()).toMatchObject({ status: 0 });
    expect((await inside).stderr).toContain("terminating connection");
    expect(await server.sql("postgres", facts)).toBe("t|t|10|0");
  });

  test("is made by two calls at once, and is finished when a call was killed on its way", async () => {
    const drop = `ALTER DATABASE ${ownDatabase} IS_TEMPLATE false; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${ownDatabase}'`;
    await server.sql("postgres", drop);
    await server.sql("postgres", `DROP DATABASE ${ownDatabase} WITH (FORCE)`);
    const both = await Promise.all([apply(), apply()]);
    expect(both.map(({ status, stderr }) => [status, stderr])).toEqual([
      [0, expect.not.stringContaining("error")],
      [0, expect.not.stringContaining("error")],
    ]);
    expect(await server.sql("postgres", facts)).toBe("t|t|10|0");
    await server.sql(
      "postgres",
      `ALTER DATABASE ${ownDatabase} ALLOW_CONNECTIONS false; COMMENT ON DATABASE ${ownDatabase} IS NULL`,
    );
    expect(await apply()).toMatchObject({ status: 0 });
    expect(await server.sql("postgres", facts)).toBe("t|t|10|0");
  });

  test("of somebody else is left alone, with the reason", async () => {
    await server.sql("postgres", `COMMENT ON DATABASE ${ownDatabase} IS 'mine'`);
    const said = await apply();
    expect(said).toMatchObject({ status: 1, stdout: "" });
    expect(said.stderr).toContain(
      `database ${ownDatabase} exists on this server and was not created by Stagecraft`,
    );
    await server.sql("postgres", `COMMENT ON DATABASE ${ownDatabase} IS 'stagecraft: own'`);
  });
});

test("whoever waits for a lock is told who holds it, and how to end that", async () => {
  const lock = `SELECT pg_advisory_lock(${advisoryLocks.jobs.join(", ")})`;
  const session = await holdSession(server, ownDatabase, lock);
  const pid = await server.sql(
    "postgres",
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'holder'",
  );
  const backup = server.agent(["backup"], { server: server.name, job: null });
  const asks = `SELECT count(*) FROM pg_stat_activity a WHERE query ~ 'pg_try_advisory_lock' AND pid <> pg_backend_pid()
    AND query_start - backend_start > '8 s'`;
  await until("the backup waits", async () => (await server.sql("postgres", asks)) === "1");
  await session.release();
  const { status, stderr } = await backup;
  expect(status, stderr).toBe(0);
  expect(stderr).toMatch(
    new RegExp(
      `still waiting for process ${pid} \\(role postgres, holder, connected for \\S+ s\\); to end it: SELECT pg_terminate_backend\\(${pid}\\)`,
    ),
  );
});
