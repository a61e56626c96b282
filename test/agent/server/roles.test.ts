import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { plainDump, shopSql } from "../../support/databases/shop";
import { atMost } from "../../support/time/limit.mjs";

const server = useServer();
const passwords = {
  application: "of the application",
  readonly: "of the reader",
  monitor: "of the monitor",
};

const as =
  (user: string, password: string) =>
  async (sql: string, database = "shop"): Promise<string> => {
    const { stdout, stderr } = await server.as({ user, password, database }, sql);
    return (
      stderr === "" ? stdout : stderr.replace(/^psql:.*?: (?=ERROR|FATAL|error)/gm, "")
    ).trim();
  };
const application = as("shop", passwords.application);
const reader = as("shop_readonly", passwords.readonly);
const monitor = as("stagecraft_monitor", passwords.monitor);

const extraSql = `
  CREATE TABLE public.secrets (id int, word text);
  INSERT INTO public.secrets VALUES (1, 'hidden');
  CREATE SCHEMA "Other Schema";
  CREATE TABLE "Other Schema"."A Table" AS SELECT 1 AS id;
  CREATE VIEW "Other Schema".view AS SELECT word FROM public.secrets;
  CREATE FUNCTION public.write_for_me() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO public.secrets VALUES (2, ''written'')';
  CREATE FUNCTION public.look_for_me() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT min(word) FROM public.secrets';
  CREATE FUNCTION public.closed() RETURNS int LANGUAGE sql AS 'SELECT 1';
  REVOKE EXECUTE ON FUNCTION public.closed() FROM PUBLIC;
  CREATE PROCEDURE public.proceed() LANGUAGE sql AS 'SELECT 1';
  CREATE EXTENSION dblink;
  CREATE EXTENSION postgres_fdw;
  CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'other.example.com');
  CREATE FOREIGN TABLE public.far (line text) SERVER other;`;

beforeAll(async () => {
  expect(await server.makeRoles({ database: "shop", ...passwords })).toMatchObject({ status: 0 });
  await server.createDatabase("source", shopSql + extraSql);
  const { result } = await server.restore({ database: "shop", dump: await server.dump("source") });
  expect(result.result, result.text).toBe("restored");
  expect(result.steps.map(({ name }) => name)).toEqual([
    ...["read", "create", "restore", "check", "owner", "analyse", "grants", "swap"],
  ]);
  await server.sql("postgres", "DROP DATABASE source");
});

describe("the application", () => {
  test.each([
    ["SELECT count(*) FROM public.customers", "53"],
    ["INSERT INTO public.orders VALUES (1000, 1, '2026-02-01') RETURNING id", "1000"],
    ["UPDATE public.parent SET id = 20 WHERE id = 2 RETURNING id", "20"],
    ["DELETE FROM public.child RETURNING extra", "three"],
    [
      "SELECT nextval('public.customers_id_seq') > 1234, setval('public.customers_id_seq', 2000)",
      "t|2000",
    ],
    [`INSERT INTO stock."Odd ""Items""" (note) VALUES ('mine') RETURNING note`, "mine"],
    [`SELECT id FROM "Other Schema"."A Table"`, "1"],
    ["SELECT public.twice(4), public.closed(), public.total(1) > 0", "8|1|t"],
    ["CALL public.proceed()", ""],
    ["SELECT public.write_for_me(); SELECT count(*) FROM public.secrets", "\n2"],
    ["SELECT count(*) FROM public.per_month", "14"],
    ["CREATE TEMP TABLE mine AS SELECT 1 AS id; SELECT id FROM mine", "1"],
    ["SELECT lo_unlink(lo_from_bytea(0, 'mine'))", "1"],
    [
      "SELECT convert_from(lo_get(object), 'UTF8'), lo_unlink(object) FROM public.files",
      "large object|1",
    ],
    ["SELECT count(*) FROM public.customers WHERE name % 'Kundin'", /^\d+$/],
  ])("may: %s", async (sql, answer) => {
    const said = await application(`BEGIN; ${sql}; ROLLBACK;`);
    if (typeof answer === "string") expect(said).toBe(answer.trim());
    else expect(said).toMatch(answer);
  });

  test.each([
    ["DROP DATABASE shop", "must be owner of database shop"],
    ["ALTER DATABASE shop RENAME TO gone", "must be owner of database shop"],
    ["CREATE DATABASE mine", "permission denied to create database"],
    ["CREATE ROLE mine", "permission denied to create role"],
    ["CREATE SCHEMA mine", "permission denied for database shop"],
    ["CREATE TABLE public.mine (id int)", "permission denied for schema public"],
    ["CREATE TABLE stock.mine (id int)", "permission denied for schema stock"],
    ["DROP TABLE public.customers", "must be owner of table customers"],
    ["ALTER TABLE public.customers ADD mine int", "must be owner of table customers"],
    ["TRUNCATE public.empty", "permission denied for table empty"],
    ["ALTER TABLE public.customers DISABLE ROW LEVEL SECURITY", "must be owner of table customers"],
    ["DROP EXTENSION pg_trgm", "must be owner of extension pg_trgm"],
    ["SET ROLE shop_owner", 'permission denied to set role "shop_owner"'],
    ["SET ROLE postgres", 'permission denied to set role "postgres"'],
    ["SELECT rolpassword FROM pg_authid", "permission denied for table pg_authid"],
    [
      "COPY public.secrets TO PROGRAM 'cat'",
      "permission denied to COPY to or from an external program",
    ],
    ["SELECT pg_read_file('/etc/passwd')", "permission denied for function pg_read_file"],
    [
      "SELECT public.dblink_connect_u('user=postgres')",
      "permission denied for function dblink_connect_u",
    ],
    [
      "SELECT stock.pg_stat_statements_reset()",
      "permission denied for function pg_stat_statements_reset",
    ],
    ["ALTER ROLE shop SUPERUSER", "permission denied to alter role"],
  ])("may not: %s", async (sql, reason) => {
    expect(await application(sql)).toMatch(new RegExp(`^ERROR: {2}${reason}`));
  });

  test.each(["postgres", "template1", "app"])("may not even connect to %s", async (database) => {
    await server.sql(
      "postgres",
      "SELECT 'CREATE DATABASE app' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'app') \\gexec",
    );
    await server.sql("postgres", "REVOKE CONNECT ON DATABASE app FROM PUBLIC");
    expect(await application("SELECT 1", database)).toContain(
      `FATAL:  permission denied for database "${database}"`,
    );
  });
});

describe("the reader", () => {
  test("reads every table, view and sequence of every schema", async () => {
    const { stdout } = await server.as(
      { user: "shop_readonly", password: passwords.readonly, database: "shop" },
      `SELECT format('SELECT %L, count(*) >= 0 FROM %I.%I', relname, nspname, relname)
       FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
       WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
       ORDER BY 1 \\gexec`,
    );
    const read = stdout.trim().split("\n");
    expect(read.length).toBe(14);
    expect(read.filter((line) => !line.endsWith("|t"))).toEqual([]);
    expect(await reader("SELECT convert_from(lo_get(object), 'UTF8') FROM public.files")).toBe(
      "large object",
    );
    expect(await reader("SELECT public.twice(4), public.look_for_me()")).toBe("8|hidden");
  });

  test.each([
    ["INSERT INTO public.secrets VALUES (3)", "permission denied for table secrets"],
    ["UPDATE public.secrets SET id = 3", "permission denied for table secrets"],
    ["DELETE FROM public.secrets", "permission denied for table secrets"],
    ["TRUNCATE public.secrets", "permission denied for table secrets"],
    ["SELECT * FROM public.secrets FOR UPDATE", "permission denied for table secrets"],
    [
      "SELECT nextval('public.customers_id_seq')",
      "permission denied for sequence customers_id_seq",
    ],
    [
      "CREATE TEMP TABLE mine (id int)",
      'permission denied to create temporary tables in database "shop"',
    ],
    ["CREATE TABLE public.mine (id int)", "permission denied for schema public"],
    ["SELECT public.write_for_me()", "permission denied for function write_for_me"],
    ["SELECT lo_unlink(object) FROM public.files", "must be owner of large object \\d+"],
    ["SELECT lo_put(object, 0, 'x') FROM public.files", "permission denied for large object \\d+"],
    ["UPDATE \"Other Schema\".view SET word = ''", "permission denied for view view"],
    ["SELECT lo_create(0)", "permission denied for function lo_create"],
    ["SELECT lo_creat(-1)", "permission denied for function lo_creat"],
    ["SELECT lo_from_bytea(0, 'mine')", "permission denied for function lo_from_bytea"],
    ["SET temp_file_limit = -1", 'permission denied to set parameter "temp_file_limit"'],
  ])("may not, even where it says that it wants to write: %s", async (sql, reason) => {
    const wanting = `SET default_transaction_read_only = off; ${sql}`;
    expect(await reader(wanting)).toMatch(new RegExp(`^ERROR: {2}${reason}`));
  });

  test("is told early, by transactions that begin read-only", async () => {
    expect(await reader("SHOW transaction_read_only")).toBe("on");
  });

  test("has a limit of time for a statement, and of disk for what it sorts", async () => {
    expect(await reader("SHOW statement_timeout")).toBe("15min");
    expect(await reader("SHOW temp_file_limit")).toBe("2GB");
  });
});

describe("the monitor", () => {
  test("reads statistics of everybody's work, in every database of ours and in postgres", async () => {
    expect(
      await monitor(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE query <> '<insufficient privilege>'",
      ),
    ).toBe("t");
    expect(
      await monitor("SELECT pg_database_size('shop') > 0, count(*) > 0 FROM pg_stat_user_tables"),
    ).toBe("t|t");
    expect(await monitor("SELECT count(*) > 100 FROM pg_settings", "postgres")).toBe("t");
  });

  test.each([
    ["SELECT * FROM public.secrets", "permission denied for table secrets"],
    ["SELECT * FROM public.per_month", "permission denied for materialized view per_month"],
    ["SELECT * FROM stock.odd", "permission denied for schema stock"],
    ["SELECT public.write_for_me()", "permission denied for function write_for_me"],
    ["CREATE TEMP TABLE mine (id int)", "permission denied to create temporary tables"],
    ["SELECT lo_create(0)", "permission denied for function lo_create"],
  ])("may not: %s", async (sql, reason) => {
    expect(await monitor(sql)).toMatch(new RegExp(`^ERROR: {2}${reason}`));
  });
});

describe("the owner", () => {
  test("cannot log in", async () => {
    expect(await as("shop_owner", "any password")("SELECT 1")).toContain(
      "password authentication failed",
    );
    expect(
      await server.sql("postgres", "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'shop_owner'"),
    ).toBe("f");
  });

  test("makes things that the others may use at once", async () => {
    await server.sql(
      "shop",
      `SET ROLE shop_owner; CREATE SCHEMA later; CREATE TABLE later.t (id serial, word text); INSERT INTO later.t (word) VALUES ('new');
       CREATE FUNCTION later.f() RETURNS int LANGUAGE sql AS 'SELECT 5'`,
    );
    expect(
      await application(
        "INSERT INTO later.t (word) VALUES ('more'); SELECT count(*), later.f() FROM later.t",
      ),
    ).toBe("2|5");
    expect(await reader("SELECT count(*), later.f() FROM later.t")).toBe("2|5");
    expect(
      await reader(
        "SET default_transaction_read_only = off; INSERT INTO later.t (word) VALUES ('no')",
      ),
    ).toMatch(/permission denied for table t/);
    expect(await monitor("SELECT * FROM later.t")).toMatch(/permission denied for schema later/);
  });

  test("owns no routine of an extension, some of which open every door", async () => {
    expect(
      await server.trySql(
        "shop",
        "SET ROLE shop_owner; SELECT public.dblink_connect_u('user=postgres')",
      ),
    ).toMatchObject({
      stderr: expect.stringContaining("permission denied for function dblink_connect_u") as string,
    });
  });
});

test("a dump of such a database restores with nothing to say", async () => {
  for (const format of ["-Fp", "-Fc"]) {
    const dump = await server.dump("shop", format);
    const { result } = await server.restore({ database: "shop", dump });
    expect(result.result, result.text).toBe("restored");
    expect(result.verdict).toMatchObject({ outcome: "passed", roles: [], causes: [], notes: [] });
  }
  expect(await reader("SELECT public.twice(4)")).toBe("8");
});

describe("a dump that gives rights away", () => {
  const generous = plainDump(`
    CREATE TABLE public.t (id int, word text);
    COPY public.t (id, word) FROM stdin;\n1\tone\n\\.\n
    CREATE TABLE public.own (id int);
    CREATE SEQUENCE public.s;
    ALTER TABLE public.own OWNER TO shop;
    GRANT ALL ON TABLE public.t TO PUBLIC;
    GRANT ALL ON TABLE public.t TO shop_readonly WITH GRANT OPTION;
    GRANT INSERT (id) ON TABLE public.t TO stagecraft_monitor;
    SET SESSION AUTHORIZATION shop_readonly;
    GRANT INSERT, UPDATE ON TABLE public.t TO stagecraft_monitor;
    RESET SESSION AUTHORIZATION;
    GRANT ALL ON SEQUENCE public.s TO PUBLIC;
    GRANT ALL ON SCHEMA public TO PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA public GRANT ALL ON TABLES TO shop_readonly;
    ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner GRANT ALL ON TABLES TO PUBLIC;`);
  const schemaOwner = "pg_database_owner";
  const rights = `
    SELECT relname, relowner::regrole, (SELECT array_agg(a ORDER BY a::text) FROM unnest(relacl) a) FROM pg_class WHERE relname IN ('t', 'own', 's') ORDER BY 1;
    SELECT count(*) FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid = 'public.t'::regclass;
    SELECT (SELECT array_agg(a ORDER BY a::text) FROM unnest(nspacl) a) FROM pg_namespace WHERE nspname = 'public';
    SELECT defaclnamespace::regnamespace, defaclobjtype, (SELECT array_agg(a ORDER BY a::text) FROM unnest(defaclacl) a) FROM pg_default_acl WHERE defaclobjtype = 'r' ORDER BY 1`;

  test.each(["leave out", "create without login"] as const)(
    "gives none beyond this server's: %s",
    async (choice) => {
      const { result } = await server.restore({
        database: "shop",
        dump: Buffer.from(`${generous}\n-- ${choice}`),
        roles: choice,
      });
      expect(result.result, result.text).toBe("restored");
      const others =
        "shop=arwd/shop_owner,shop_owner=arwdDxtm/shop_owner,shop_readonly=r/shop_owner";
      expect(await server.sql("shop", rights)).toBe(
        [
          `own|shop_owner|{${others}}`,
          "s|shop_owner|{shop=rwU/shop_owner,shop_owner=rwU/shop_owner,shop_readonly=r/shop_owner}",
          `t|shop_owner|{${others}}`,
          "0",
          `{=U/${schemaOwner},${schemaOwner}=UC/${schemaOwner},shop=U/${schemaOwner},shop_readonly=U/${schemaOwner}}`,
          `-|r|{${others}}`,
        ].join("\n"),
      );
      expect(result.text).not.toContain("role shop");
    },
  );

  test("cannot make or change a role of this server", async () => {
    const globals = `
      CREATE ROLE intruder SUPERUSER LOGIN PASSWORD 'from production';
      CREATE USER second PASSWORD 'SCRAM-SHA-256$4096:from production';
      CREATE GROUP third;
      ALTER ROLE shop SUPERUSER PASSWORD 'from production';
      ALTER ROLE shop_readonly IN DATABASE shop SET default_transaction_read_only = off;
      ALTER USER stagecraft_monitor WITH SUPERUSER;
      COMMENT ON ROLE shop IS 'from production';
      GRANT shop_owner TO shop WITH ADMIN OPTION;
      GRANT postgres, pg_write_all_data TO shop_readonly GRANTED BY postgres;
      DROP ROLE stagecraft_monitor;`;
    const roles = `
      SELECT rolname, rolsuper, rolpassword, shobj_description(oid, 'pg_authid') FROM pg_authid ORDER BY 1;
      SELECT member::regrole, roleid::regrole, admin_option FROM pg_auth_members ORDER BY 1, 2;
      SELECT setdatabase, setrole::regrole, setconfig FROM pg_db_role_setting WHERE setrole <> 0 ORDER BY 1, 2`;
    const before = await server.sql("postgres", roles);
    const dump = generous.replace("CREATE TABLE public.t", `${globals}\nCREATE TABLE public.t`);
    const { result } = await server.restore({ database: "shop", dump: Buffer.from(dump) });
    expect(result.result, result.text).toBe("restored");
    expect(result.text).toContain("role intruder: statements about it left out");
    expect(await server.sql("postgres", roles)).toBe(before);
    expect((await server.agent(["log"])).stdout).not.toContain("from production");
  });
});

test("many thousands of objects get their rights in a moment", async () => {
  const tables = 5_000;
  await server.createDatabase(
    "source",
    `SELECT format('CREATE TABLE public.t%s (id serial)', n) FROM generate_series(1, ${tables}) n \\gexec
     SELECT count(lo_create(0)) FROM generate_series(1, 3000)`,
  );
  const { result } = await server.restore({ database: "shop", dump: await server.dump("source") });
  expect(result.result, result.text).toBe("restored");
  const seconds = result.steps.find(({ name }) => name === "grants")?.seconds ?? Infinity;
  expect(seconds).toBeLessThan(atMost(30));
  expect(await application(`INSERT INTO public.t${tables} DEFAULT VALUES RETURNING id`)).toBe("1");
  expect(await reader(`SELECT count(*) FROM public.t${tables}`)).toBe("1");
  expect(await application("SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata")).toBe(
    "3000",
  );
  await server.sql("postgres", "DROP DATABASE source");
});
