import { describe, expect, test } from "vitest";
import { plainDump } from "../../support/databases/shop";
import { useServer, type TestRestored } from "../../support/servers/server";

const server = useServer();

const restored = async (
  database: string,
  dump: Buffer | string,
  more: Partial<Parameters<typeof server.restore>[0]> = {},
): Promise<TestRestored["result"]> => (await server.restore({ database, dump, ...more })).result;

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
