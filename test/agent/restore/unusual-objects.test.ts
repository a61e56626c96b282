import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { plainDump } from "../../support/databases/shop";
import { checkout } from "../../support/files/checkout";
import { useServer, type TestRestored } from "../../support/servers/server";

const server = useServer();

const dumpOf = (name: string): Buffer =>
  readFileSync(join(checkout, "test/support/dumps", `${name}.sql`));

const restored = async (
  database: string,
  dump: Buffer | string,
  more: Partial<Parameters<typeof server.restore>[0]> = {},
): Promise<TestRestored["result"]> => (await server.restore({ database, dump, ...more })).result;

interface Case {
  readonly name: string;
  /** What the result says. */
  readonly says?: RegExp;
  /** A query of the restored database, and its answer. */
  readonly asks?: readonly [sql: string, answer: string];
}

const cases: readonly Case[] = [
  {
    name: "collide",
    asks: [`SELECT (SELECT count(*) FROM x."a.b"), (SELECT count(*) FROM "x.a".b)`, "1|3"],
  },
  {
    name: "enumhash16",
    asks: [
      "SELECT count(*), count(*) FILTER (WHERE tableoid = 'ev_25'::regclass) FROM ev",
      "400|213",
    ],
  },
  {
    name: "evt-no",
    asks: [
      "SELECT (SELECT string_agg(evtname, ' ' ORDER BY 1) FROM pg_event_trigger), (SELECT count(*) FROM ddl_log), (SELECT count(*) FROM t)",
      "audit_ddl no_ddl|2|20",
    ],
  },
  {
    name: "fdw-root",
    says: /partitions of public\.ev that are foreign tables were not counted/,
    asks: ["SELECT count(*) FROM ONLY ev_hot", "1"],
  },
  {
    name: "tsp",
    says: /tablespaces or access methods that do not exist on this server/,
    asks: ["SELECT count(*) FROM t", "1"],
  },
  {
    name: "los",
    says: /role lo_owner: 1 object restored without owner.*role lo_reader: 2 grants left out/,
    asks: [
      "SELECT string_agg(convert_from(lo_get(o), 'UTF8'), ',' ORDER BY o) FROM r",
      "lo 1,lo 2,lo 3,lo 4,lo 5",
    ],
  },
  {
    name: "seclabel",
    says: /security labels whose provider is not loaded/,
    asks: ["SELECT count(*) FROM customers", "10"],
  },
  {
    name: "subs",
    says: /subscription s_main is disabled and has no slot here/,
    asks: [
      "SELECT subenabled, subslotname IS NULL FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
      "f|t",
    ],
  },
  { name: "subs-broken", says: /division by zero/ },
];

test.each(cases)("$name as a plain dump", async ({ name, says, asks }) => {
  const database = `case_${name.replaceAll("-", "_")}`;
  const result = await restored(database, dumpOf(name));
  expect(result.result, result.text).toBe(asks ? "restored" : "failed");
  if (says) expect(result.text).toMatch(says);
  if (asks) expect(await server.sql(database, asks[0])).toBe(asks[1]);
  await server.expectNothingUnfinished();
});

describe("the same objects in an archive", () => {
  test("tablespaces that are not here", async () => {
    await server.sql(
      "postgres",
      "SET allow_in_place_tablespaces = on; CREATE TABLESPACE fast LOCATION ''",
    );
    await server.createDatabase(
      "source_tsp",
      "CREATE TABLE t (i int) TABLESPACE fast; INSERT INTO t VALUES (1); CREATE INDEX ON t (i) TABLESPACE fast",
    );
    const dump = await server.dump("source_tsp", "-Fc");
    await server.sql("postgres", "DROP DATABASE source_tsp");
    await server.sql("postgres", "DROP TABLESPACE fast");
    const result = await restored("archive_tsp", dump);
    expect(result.text).toMatch(/passed with notes: tablespaces or access methods that do not/);
    expect(await server.sql("archive_tsp", "SELECT count(*) FROM t")).toBe("1");
  });

  test("owners and grants of large objects", async () => {
    await server.sql("postgres", "CREATE ROLE los_owner; CREATE ROLE los_reader");
    await server.createDatabase(
      "source_los",
      `SELECT lo_from_bytea(901, 'one'), lo_from_bytea(902, 'two');
       ALTER LARGE OBJECT 901 OWNER TO los_owner; GRANT SELECT ON LARGE OBJECT 902 TO los_reader`,
    );
    const dump = await server.dump("source_los", "-Fc");
    await server.sql(
      "postgres",
      "DROP DATABASE source_los; DROP ROLE los_owner; DROP ROLE los_reader",
    );
    const left = await restored("archive_los", dump);
    expect(left.text).toMatch(/los_owner: 1 object restored without owner/);
    expect(left.text).toMatch(/los_reader: 1 grant left out/);
    const kept = await restored("archive_los_kept", dump, { roles: "create without login" });
    expect(kept.result, kept.text).toBe("restored");
    expect(
      await server.sql(
        "archive_los_kept",
        "SELECT pg_get_userbyid(lomowner), coalesce(lomacl::text ~ 'los_reader=r', false) FROM pg_largeobject_metadata ORDER BY oid",
      ),
    ).toBe("los_owner|f\narchive_los_kept|t");
  });
});

test("a materialized view of a server out of reach fails, or stays empty where the stack file says so", async () => {
  const dump = Buffer.from(
    plainDump(`CREATE EXTENSION postgres_fdw WITH SCHEMA public;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.9', port '1');
CREATE USER MAPPING FOR public SERVER far OPTIONS ("user" 'u', password 'p');
CREATE FOREIGN TABLE public.rates (i int) SERVER far;
CREATE TABLE public.t (i int);
COPY public.t (i) FROM stdin;
1
\\.
CREATE MATERIALIZED VIEW public.best AS SELECT max(i) AS i FROM public.rates WITH NO DATA;
CREATE MATERIALIZED VIEW public.better AS SELECT i FROM public.best WITH NO DATA;
REFRESH MATERIALIZED VIEW public.best;
REFRESH MATERIALIZED VIEW public.better;`),
  );
  const failed = await restored("views", dump);
  expect(failed.text).toMatch(/fix +set database\.unreachableViews: "leave empty"/);
  const left = await restored("views", dump, { unreachableViews: "leave empty" });
  expect(left.text).toMatch(
    /materialized view public\.best was left empty: .*; materialized view public\.better was left empty/,
  );
  expect(await server.sql("views", "SELECT count(*) FROM t")).toBe("1");
});

describe("properties of the database", () => {
  const settings = (database: string): Promise<string> =>
    server.sql(
      "postgres",
      `SELECT coalesce(r.rolname, 'all'), s FROM pg_db_role_setting c LEFT JOIN pg_roles r ON r.oid = c.setrole, unnest(c.setconfig) s
       WHERE c.setdatabase = (SELECT oid FROM pg_database WHERE datname = '${database}') AND s NOT LIKE 'stagecraft.%' ORDER BY 1, 2`,
    );

  test("those of the dump come with its contents; those that were set here stay, at a refresh and a rollback", async () => {
    await server.createDatabase(
      "source_set",
      `CREATE SCHEMA app; CREATE TABLE app.t (i int);
       ALTER DATABASE source_set SET search_path = app, "Odd ""One", public; ALTER DATABASE source_set SET "TimeZone" = 'Europe/Berlin';
       ALTER DATABASE source_set SET app.mode = 'it''s'; ALTER DATABASE source_set SET work_mem = '1GB';
       ALTER DATABASE source_set SET auto_explain.log_min_duration = 0; ALTER DATABASE source_set CONNECTION LIMIT 3;
       COMMENT ON DATABASE source_set IS 'the shop'`,
    );
    const first = await server.dump("source_set", "-Fc");
    await server.sql(
      "source_set",
      "ALTER DATABASE source_set SET search_path = app; ALTER DATABASE source_set RESET app.mode; INSERT INTO app.t VALUES (1)",
    );
    const second = await server.dump("source_set", "-Fc");
    const result = await restored("set", first, { keepPrevious: 1 });
    expect(result.text).toMatch(
      /parameter auto_explain\.log_min_duration of the database was left out: only a superuser may set it/,
    );
    expect(await settings("set")).toBe(
      `all|TimeZone=Europe/Berlin\nall|app.mode=it's\nall|search_path=app, "Odd ""One", public`,
    );
    await server.sql(
      "postgres",
      `CREATE ROLE set_reader; ALTER DATABASE set SET "TimeZone" = 'UTC'; ALTER DATABASE set SET log_statement = 'mod';
       ALTER DATABASE set CONNECTION LIMIT 7; ALTER ROLE set_reader IN DATABASE set SET search_path = app, public;
       COMMENT ON DATABASE set IS 'ours'`,
    );
    const own = "all|TimeZone=UTC\nall|log_statement=mod";
    const role = "set_reader|search_path=app, public";
    const facts = `SELECT datconnlimit, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'set'`;
    expect((await restored("set", second)).result).toBe("restored");
    expect(await settings("set")).toBe(`${own}\nall|search_path=app\n${role}`);
    expect(await server.sql("postgres", facts)).toBe("7|ours");
    const back = await restored("set", first);
    expect(back.result, back.text).toBe("brought back");
    expect(await settings("set")).toBe(
      `all|TimeZone=UTC\nall|app.mode=it's\nall|log_statement=mod\nall|search_path=app, "Odd ""One", public\n${role}`,
    );
    expect(await server.sql("postgres", facts)).toBe("7|ours");
  });
});

describe("a database with a subscription that an earlier version restored", () => {
  test("blocks nothing: its copy is dropped, and its slot is left alone", async () => {
    const empty = plainDump("CREATE TABLE public.t (i int);");
    expect((await restored("former", Buffer.from(empty))).result).toBe("restored");
    await server.sql(
      "postgres",
      "CREATE DATABASE former__incoming; CREATE DATABASE other__checking",
    );
    for (const copy of ["former__incoming", "other__checking"])
      await server.sql(
        copy,
        "CREATE SUBSCRIPTION s CONNECTION 'host=10.255.255.1 dbname=x' PUBLICATION p WITH (connect = false, slot_name = 'production')",
      );
    const result = await restored("former", Buffer.from(`${empty}-- again\n`));
    expect(result.result, result.text).toBe("restored");
    await server.expectNothingUnfinished();
  });
});
