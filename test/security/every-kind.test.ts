import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { advisoryLocks, databaseLock } from "../../agent/postgres/advisory-locks";
import { serverKinds } from "../../model/base/names";
import { observationSchema } from "../../model/observation/observation";
import { areRolesUpToDate, rolesDrift } from "../../model/roles/drift";
import { backUpWell } from "../support/backups/agent-backups";
import { plainDump } from "../support/databases/shop";
import { useExternalServer } from "../support/servers/external-server";
import type { CommandResult, TestLogin, TestServer } from "../support/servers/server";
import { useStackServer } from "../support/servers/stack-server";
import { limit, minute } from "../support/time/limit.mjs";
import { until } from "../support/time/until";

const database = "shop";
const emptyTable = "CREATE TABLE public.t (id int);\nCOPY public.t FROM stdin;\n\\.\n";
const passwords = {
  application: "of the application",
  readonly: "of the reader",
  monitor: "of the monitor",
};
const application = { user: database, password: passwords.application, database };
const reader = { user: "shop_readonly", password: passwords.readonly, database };
const monitor = { user: "stagecraft_monitor", password: passwords.monitor, database: "postgres" };

/** What every server has against the lesser attacks. */
function testServer(server: TestServer): void {
  const { kind } = server;
  // Users with rights of their own differ by the kind of server.
  const people = [{ name: "ada", role: "DbAdmin" as const, password: "of ada's own" }];
  const roles = { database, ...passwords, people };

  const mend = async (): Promise<CommandResult> => {
    const said = await server.makeRoles(roles);
    expect(said.status, said.stderr).toBe(0);
    return said;
  };
  const seen = async () =>
    observationSchema.parse(JSON.parse((await server.agent(["observe"])).stdout)).roles;
  const restore = async (statements: string, target: string) => {
    const dump = Buffer.from(plainDump(statements));
    const mode = kind === "production" ? "when missing" : "replace";
    return server.restore({ database: target, dump, mode });
  };
  const serverLog = async (): Promise<string> =>
    (await execa("docker", ["logs", server.postgres], { all: true })).all;

  beforeAll(async () => {
    await mend();
    const { result } = await restore(emptyTable, database);
    expect(result.result, result.text).toBe("restored");
  });

  test("a dump that logs in a loop does not fill the server log", async () => {
    const before = (await serverLog()).length;
    const storm = `DO $$ BEGIN FOR n IN 1..3000 LOOP RAISE LOG '%', repeat('x', 1000); END LOOP; END $$;`;
    const { result } = await restore(storm, "storm");
    expect(result.result, result.text).toBe("restored");
    expect((await serverLog()).length - before).toBeLessThan(200_000);
  });

  test("the read-only role has its limits, and takes no disk by large objects", async () => {
    const limits =
      "SELECT current_setting('statement_timeout'), current_setting('temp_file_limit')";
    expect((await server.as(reader, limits)).stdout).toBe("15min|2GB\n");
    for (const sql of ["SET temp_file_limit = -1", "SELECT lo_from_bytea(0, 'x')"]) {
      const writing = `SET default_transaction_read_only = off; ${sql}`;
      expect((await server.as(reader, writing)).stderr).toContain("permission denied");
    }
  });

  test("the monitor's advisory locks stop no backup, no roles and no restore", async () => {
    const keys = [...Object.values(advisoryLocks), ...[database, "locked"].map(databaseLock)];
    const locks = keys.map((key) => `pg_advisory_lock(${key.join(", ")})`).join(", ");
    const held = server.as(monitor, `SELECT ${locks}; SELECT pg_sleep(7200)`);
    const holder = `FROM pg_stat_activity WHERE usename = '${monitor.user}' AND wait_event = 'PgSleep'`;
    await until(
      "the monitor holds all",
      async () => (await server.sql("postgres", `SELECT count(*) ${holder}`)) === "1",
    );
    await mend();
    await backUpWell(server);
    expect((await restore(emptyTable, "locked")).result.result).toBe("restored");
    expect(await server.sql("postgres", `SELECT count(pg_terminate_backend(pid)) ${holder}`)).toBe(
      "1",
    );
    await held;
  });

  test("drift of roles is seen with a sentence each, and corrected", async () => {
    expect(rolesDrift(await seen(), ["ada"])).toEqual([]);
    await server.sql(
      "postgres",
      `ALTER ROLE shop PASSWORD NULL; ALTER ROLE shop SET search_path = mine; ALTER ROLE shop_readonly SET statement_timeout = 0;
       CREATE ROLE stranger; GRANT shop_owner TO stranger; GRANT stagecraft_monitor TO shop_readonly`,
    );
    await server.sql("postgres", `ALTER DATABASE ${database} OWNER TO shop`);
    const drift = rolesDrift(await seen(), ["ada"]).join("\n");
    for (const sentence of [
      /^role shop .*password.*; up corrects it$/m,
      /^role shop has a setting of search_path; up corrects it$/m,
      /^role shop_readonly .*statement_timeout.*; up corrects it$/m,
      /^role shop_owner has the member stranger, which is not declared; up corrects it$/m,
      /^role shop_readonly is a member of stagecraft_monitor; up corrects it$/m,
      /^.*shop.* shop_owner.*; up corrects/m,
    ])
      expect(drift).toMatch(sentence);
    await mend();
    expect(rolesDrift(await seen(), ["ada"])).toEqual([]);
    expect(areRolesUpToDate(await seen(), ["ada"])).toBe(true);
    expect((await server.as(application, "SELECT count(*) FROM public.t")).stdout).toBe("0\n");
    const owner = `SELECT datdba::regrole FROM pg_database WHERE datname = '${database}'; DROP ROLE stranger`;
    expect(await server.sql("postgres", owner)).toBe("shop_owner");
  });

  test(
    "an unusual COPY makes neither its restore nor the next one wait",
    { timeout: limit(minute) },
    async () => {
      const binary = "COPY public.t FROM/**/stdin WITH (FORMAT binary);\nPGCOPY\n\\.\n";
      const { result } = await restore(`CREATE TABLE public.t (id int);\n${binary}`, "copied");
      expect(result.result).toBe("failed");
      const text = `CREATE TABLE public.t (id int);\nCOPY public.t FROM/* a; */STDIN;\n1\n\\.\n`;
      expect((await restore(text, "copied")).result.result).toBe("restored");
      expect(await server.sql("copied", "SELECT count(*) FROM public.t")).toBe("1");
    },
  );
}

/** Logs in, changes the schema and leaves again; what the server log has of it. */
async function logOf(server: TestServer, login: TestLogin): Promise<string> {
  await server.as(login, "CREATE TEMP TABLE traced (id int)");
  const { all } = await execa("docker", ["logs", server.postgres], { all: true });
  return all;
}

describe.each(serverKinds)("on a server of the kind %s", (kind) => {
  const server = useStackServer({ kind, database, ...passwords });
  testServer(server);

  test("each line of the server log names its user; production logs who connects and changes the schema", async () => {
    const log = await logOf(server, application);
    const who = String.raw`^[\d-]+ [\d:.]+ UTC \[\d+\] user=shop,db=shop,client=[\d.]+ LOG: {2}`;
    const traced = kind === "production";
    for (const what of [
      "connection authorized: user=shop",
      "statement: CREATE TEMP TABLE traced",
      "disconnection: ",
    ])
      expect(new RegExp(who + what, "m").test(log), what).toBe(traced);
    await server.as({ ...application, password: "another" }, "SELECT 1");
    expect(await logOf(server, application)).toMatch(
      /user=shop,db=shop,client=[\d.]+ FATAL: {2}password authentication failed/,
    );
  });
});

describe("on an external server", () => {
  const server = useExternalServer();
  beforeAll(async () => {
    expect(await server.connectAgent()).toMatchObject({ status: 0 });
  });
  testServer(server);
});
