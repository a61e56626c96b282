import { beforeAll, describe, expect, test } from "vitest";
import { holdSession, type HeldSession } from "../support/databases/held-session";
import { shopSql } from "../support/databases/shop";
import type { TestLogin } from "../support/servers/server";
import { useStackServer } from "../support/servers/stack-server";

const passwords = {
  application: "of the application",
  readonly: "of the reader",
  monitor: "of the monitor",
};
const server = useStackServer({ kind: "production", database: "shop", ...passwords });

const application = { user: "shop", password: passwords.application, database: "shop" };
const reader = { user: "shop_readonly", password: passwords.readonly, database: "shop" };
const monitor = { user: "stagecraft_monitor", password: passwords.monitor, database: "shop" };

/** What a role tries, and how PostgreSQL refuses it: SQLSTATE and message. */
type Attempt = readonly [sql: string, refusal: string];

const secretQuery = "SELECT 'nobody else reads this'";
let session: HeldSession;

beforeAll(async () => {
  const function_ =
    "CREATE FUNCTION public.by_event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'";
  await server.createDatabase("source", `${shopSql} ${function_};`);
  const dump = await server.dump("source");
  const { result } = await server.restore({ database: "shop", dump, mode: "when missing" });
  expect(result.result, result.text).toBe("restored");
  await server.sql("postgres", "DROP DATABASE source");
  session = await holdSession(server, "shop", secretQuery);
  return async () => session.release();
});

const verbose = "\\set VERBOSITY verbose\n";

/** What PostgreSQL says against SQL, with its SQLSTATE; "" when it does as it is asked. */
async function refusal(login: TestLogin, sql: string): Promise<string> {
  const writing = login.user === "shop_readonly" ? "SET default_transaction_read_only = off;" : "";
  const { stderr } = await server.as(login, `${verbose}${writing}\n${sql}`);
  return /(?:ERROR|WARNING|FATAL): {2}(.+)$/m.exec(stderr)?.[1] ?? stderr;
}

/** The superuser's own session, whose query nobody else may read. */
const heldSql = "SELECT pid FROM pg_stat_activity WHERE usename = 'postgres' AND datname = 'shop'";

const inTransaction: readonly Attempt[] = [
  ["CREATE TABLE public.mine (id int)", "42501: permission denied for schema public"],
  ["CREATE TABLE stock.mine (id int)", "42501: permission denied for schema stock"],
  [
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "42501: permission denied for schema public",
  ],
  ["CREATE SCHEMA mine", "42501: permission denied for database shop"],
  ["SET ROLE shop_owner", '42501: permission denied to set role "shop_owner"'],
  ["SET ROLE postgres", '42501: permission denied to set role "postgres"'],
  [
    "SET SESSION AUTHORIZATION postgres",
    '42501: permission denied to set session authorization "postgres"',
  ],
  [
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "42501: permission denied to COPY to or from an external program",
  ],
  ["COPY (SELECT 1) TO '/tmp/mine'", "42501: permission denied to COPY to a file"],
  ["SELECT pg_read_file('/etc/hostname')", "42501: permission denied for function pg_read_file"],
  [
    "SELECT pg_read_binary_file('postgresql.conf')",
    "42501: permission denied for function pg_read_binary_file",
  ],
  ["SELECT pg_ls_dir('.')", "42501: permission denied for function pg_ls_dir"],
  ["SELECT lo_import('/etc/hostname')", "42501: permission denied for function lo_import"],
  ["CREATE EXTENSION dblink", '42501: permission denied to create extension "dblink"'],
  ["CREATE EXTENSION hstore", '42501: permission denied to create extension "hstore"'],
  ["SELECT rolpassword FROM pg_authid", "42501: permission denied for table pg_authid"],
  ["SELECT passwd FROM pg_shadow", "42501: permission denied for view pg_shadow"],
  ["ALTER ROLE shop SUPERUSER", "42501: permission denied to alter role"],
  ["ALTER ROLE shop_readonly CREATEDB", "42501: permission denied to alter role"],
  ["ALTER ROLE stagecraft_monitor CREATEROLE", "42501: permission denied to alter role"],
  ["CREATE ROLE mine", "42501: permission denied to create role"],
  ["CREATE PUBLICATION mine FOR ALL TABLES", "42501: permission denied for database shop"],
  [
    "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION public.by_event()",
    '42501: permission denied to create event trigger "mine"',
  ],
  [
    "SELECT pg_create_physical_replication_slot('mine', false, true)",
    "42501: permission denied to use replication slots",
  ],
  ["TRUNCATE public.empty", "42501: permission denied for table empty"],
  ["ALTER TABLE public.empty ADD mine int", "42501: must be owner of table empty"],
  ["ALTER DATABASE shop SET work_mem = '64MB'", "42501: must be owner of database shop"],
  ["ALTER ROLE ALL SET work_mem = '64MB'", "42501: permission denied to alter setting"],
  ["ALTER ROLE shop_owner SET work_mem = '64MB'", "42501: permission denied to alter role"],
  [
    "SET session_replication_role = replica",
    '42501: permission denied to set parameter "session_replication_role"',
  ],
  ["SET log_statement = 'none'", '42501: permission denied to set parameter "log_statement"'],
  ["SELECT pg_reload_conf()", "42501: permission denied for function pg_reload_conf"],
  ["SELECT pg_switch_wal()", "42501: permission denied for function pg_switch_wal"],
];

/** Of one statement alone, or such as would end what the other tests need. */
const alone: readonly Attempt[] = [
  ["ALTER SYSTEM SET work_mem = '64MB'", '42501: permission denied to set parameter "work_mem"'],
  ["CREATE DATABASE mine", "42501: permission denied to create database"],
  ["DROP DATABASE shop", "42501: must be owner of database shop"],
  [
    `SELECT pg_terminate_backend(pid) FROM (${heldSql}) s`,
    "42501: permission denied to terminate process",
  ],
  [`SELECT pg_cancel_backend(pid) FROM (${heldSql}) s`, "42501: permission denied to cancel query"],
];

describe.each([
  ["the application", application],
  ["the read-only role", reader],
  ["the monitor", monitor],
])("%s on production is refused", (_, login) => {
  test.each([...inTransaction, ...alone])("%s", async (sql, text) => {
    expect(await refusal(login, sql)).toBe(text);
  });
});

describe("a superuser is not refused the same, so that it is the right that the others lack:", () => {
  test.each(inTransaction)("%s", async (sql, text) => {
    const { stderr } = await server.trySql("shop", `${verbose}BEGIN; ${sql}; ROLLBACK`);
    expect(stderr).not.toContain(text);
  });
});

describe("the application on production", () => {
  test("gives no rights to others", async () => {
    const rights = "SELECT relacl FROM pg_class WHERE oid = 'public.customers'::regclass";
    const before = await server.sql("shop", rights);
    const text = '01007: no privileges were granted for "customers"';
    expect(await refusal(application, "GRANT SELECT ON public.customers TO PUBLIC")).toBe(text);
    expect(await server.sql("shop", rights)).toBe(before);
  });

  test("copies rows neither to a program nor from a file", async () => {
    expect(await refusal(application, "COPY public.customers TO PROGRAM 'cat'")).toBe(
      "42501: permission denied to COPY to or from an external program",
    );
    expect(await refusal(application, "COPY public.empty FROM '/etc/hostname'")).toBe(
      "42501: permission denied to COPY from a file",
    );
  });
});

describe("the queries of others", () => {
  const sql = `SELECT query FROM pg_stat_activity WHERE pid IN (${heldSql})`;

  test.each([
    ["the application", application],
    ["the read-only role", reader],
  ])("are hidden from %s", async (_, login) => {
    expect((await server.as(login, sql)).stdout).toBe("<insufficient privilege>\n");
  });

  test("are shown to the monitor, which is there for that", async () => {
    expect((await server.as(monitor, sql)).stdout).toContain("pg_sleep");
  });
});

describe("the read-only role on production", () => {
  test.each<Attempt>([
    ["INSERT INTO public.empty VALUES (1)", "42501: permission denied for table empty"],
    ["UPDATE public.customers SET name = ''", "42501: permission denied for table customers"],
    ["DELETE FROM public.customers", "42501: permission denied for table customers"],
    ["BEGIN; LOCK TABLE public.customers", "42501: permission denied for table customers"],
    [
      "SELECT setval('public.customers_id_seq', 1)",
      "42501: permission denied for sequence customers_id_seq",
    ],
    [
      "CREATE TEMP TABLE mine (id int)",
      '42501: permission denied to create temporary tables in database "shop"',
    ],
    ["SELECT lo_from_bytea(0, 'mine')", "42501: permission denied for function lo_from_bytea"],
    [
      "ALTER ROLE shop_readonly IN DATABASE shop SET temp_file_limit = -1",
      '42501: permission denied to set parameter "temp_file_limit"',
    ],
  ])("does not write: %s", async (sql, text) => {
    expect(await refusal(reader, sql)).toBe(text);
  });
});

describe("the monitor on production", () => {
  test.each<Attempt>([
    ["SELECT FROM public.customers", "42501: permission denied for table customers"],
    ["SELECT FROM public.large", "42501: permission denied for view large"],
    [
      "SELECT last_value FROM public.customers_id_seq",
      "42501: permission denied for sequence customers_id_seq",
    ],
    [
      "CREATE TEMP TABLE mine (id int)",
      '42501: permission denied to create temporary tables in database "shop"',
    ],
    ["SELECT lo_create(0)", "42501: permission denied for function lo_create"],
  ])("reads and keeps no rows: %s", async (sql, text) => {
    expect(await refusal(monitor, sql)).toBe(text);
  });
});

test("the rights of a restored database are those that production has, on the database and its schema", async () => {
  const rights = `SELECT (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(acl) a) FROM
    (SELECT datacl AS acl FROM pg_database WHERE datname = 'shop' UNION ALL SELECT nspacl FROM pg_namespace WHERE nspname = 'public') r`;
  expect((await server.sql("shop", rights)).split("\n")).toEqual([
    "shop=Tc/shop_owner shop_owner=CTc/shop_owner shop_readonly=c/shop_owner stagecraft_monitor=c/shop_owner",
    "=U/pg_database_owner pg_database_owner=UC/pg_database_owner shop=U/pg_database_owner shop_readonly=U/pg_database_owner",
  ]);
});

test("nothing of all that has changed the roles, the databases or the parameters", async () => {
  const found = `SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR rolname = 'mine';
    SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname ~ 'mine|shop'; SELECT count(*) FROM pg_file_settings WHERE sourcefile ~ 'auto'; SELECT count(*) FROM pg_replication_slots`;
  expect(await server.sql("postgres", found)).toBe("postgres\nshop\n0\n0");
});
