import { beforeAll, describe, expect, test } from "vitest";
import { observationSchema } from "../../../model/observation/observation";
import { areRolesUpToDate, rolesDrift } from "../../../model/roles/drift";
import {
  rolesResultSchema,
  type RolesObservation,
  type RolesResult,
} from "../../../model/roles/protocol";
import { driftCases } from "../../support/access/unseen-drift";
import { useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { ownDatabase } from "../../../agent/postgres/own-database";
import { until } from "../../support/time/until";

const server = useServer();
const passwords = {
  application: "of the application",
  readonly: "of the reader",
  monitor: "of the monitor",
};
const people = [{ name: "ada", role: "DbAdmin" as const, password: "of ada's own" }];

const mend = async (): Promise<RolesResult> => {
  const said = await server.makeRoles({ database: "shop", ...passwords, people });
  expect(said.status, said.stderr).toBe(0);
  return rolesResultSchema.parse(JSON.parse(said.stdout));
};

const look = async (): Promise<RolesObservation> =>
  observationSchema.parse(JSON.parse((await server.agent(["observe"])).stdout)).roles;

const drift = async (): Promise<string[]> => rolesDrift(await look(), ["ada"]);

beforeAll(async () => {
  await mend();
  const dump = plainDump("CREATE TABLE public.t (id int);\nCOPY public.t FROM stdin;\n1\n\\.\n");
  const { result } = await server.restore({ database: "shop", dump: Buffer.from(dump) });
  expect(result.result, result.text).toBe("restored");
});

const quiet = {
  ...{ faults: [], missing: [], superusers: [], rights: [] },
  ...{ recorded: true, strangers: [], databases: [], parameters: [] },
};

test("a server as it should be has no drift, and nothing to mend", async () => {
  expect(await look()).toEqual({
    ...quiet,
    logins: ["ada", "app", "app_readonly", "shop", "shop_readonly", "stagecraft_monitor"],
  });
  expect(await mend()).toEqual({ created: [], changed: [] });
});

describe("what somebody changed by hand is seen, and mended", () => {
  test("attributes and memberships of roles", async () => {
    await server.sql(
      "postgres",
      `ALTER ROLE shop SUPERUSER; ALTER ROLE shop_owner LOGIN; ALTER ROLE shop_readonly CREATEDB CONNECTION LIMIT 0;
       ALTER ROLE shop_readonly RESET default_transaction_read_only; ALTER ROLE ada NOLOGIN;
       ALTER ROLE stagecraft_monitor VALID UNTIL '2020-01-01'; GRANT shop_owner TO shop;
       GRANT pg_write_all_data TO shop_readonly WITH ADMIN OPTION; GRANT postgres TO ada`,
    );
    expect(await drift()).toEqual([
      "role ada may not log in; up corrects it",
      "role ada is a member of postgres; up corrects it",
      "role shop is a superuser; up corrects it",
      "role shop is a member of shop_owner; up corrects it",
      "role shop_owner may log in; up corrects it",
      "role shop_readonly may create databases; up corrects it",
      "role shop_readonly has a connection limit; up corrects it",
      "role shop_readonly lacks the setting default_transaction_read_only = on; up corrects it",
      "role shop_readonly is a member of pg_write_all_data; up corrects it",
      "role stagecraft_monitor has a password that expires; up corrects it",
    ]);
    expect((await mend()).changed).toEqual([
      "shop_owner: may log in; now NOLOGIN",
      "shop: is a superuser; now NOSUPERUSER",
      "shop: no longer a member of shop_owner",
      "shop_readonly: may create databases; now NOCREATEDB",
      "shop_readonly: has a connection limit; now CONNECTION LIMIT -1",
      `shop_readonly: lacks the setting default_transaction_read_only = on; now SET "default_transaction_read_only" = 'on'`,
      "shop_readonly: no longer a member of pg_write_all_data",
      "stagecraft_monitor: has a password that expires; now VALID UNTIL 'infinity'",
      "ada: may not log in; now LOGIN",
      "ada: no longer a member of postgres",
    ]);
    expect(await drift()).toEqual([]);
  });

  test("a password of the superuser, with which it could come in", async () => {
    await server.sql("postgres", "ALTER ROLE postgres PASSWORD 'somebody''s own'");
    expect(await drift()).toEqual(["role postgres has a password; up corrects it"]);
    expect((await mend()).changed).toEqual(["postgres: has a password; now PASSWORD NULL"]);
    expect(await drift()).toEqual([]);
    const sql = "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres'";
    expect(await server.sql("postgres", sql)).toBe("t");
  });

  const sorted = (acl: string): string =>
    `(SELECT array_agg(item ORDER BY item::text) FROM unnest(${acl}) AS item)`;
  const allRights = `
    SELECT datname, ${sorted("datacl")} FROM pg_database ORDER BY 1;
    SELECT nspname, ${sorted("nspacl")} FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1;
    SELECT oid::regclass, ${sorted("relacl")} FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1;
    SELECT count(*) FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid >= 16384;
    SELECT defaclnamespace, defaclobjtype, ${sorted("defaclacl")} FROM pg_default_acl ORDER BY 1, 2`;

  test.each([
    ["more than there should be", "GRANT INSERT, TRUNCATE ON public.t TO shop_readonly"],
    ["on a column", "GRANT INSERT (id) ON public.t TO stagecraft_monitor"],
    [
      "everybody's",
      `GRANT SELECT ON public.t TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC;
       GRANT CONNECT ON DATABASE shop TO PUBLIC`,
    ],
    ["a person's own", "GRANT SELECT ON public.t TO ada WITH GRANT OPTION"],
    [
      "less than there should be",
      "REVOKE DELETE ON public.t FROM shop; REVOKE ALL ON DATABASE shop FROM shop",
    ],
    [
      "of what will be made",
      `ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner GRANT ALL ON TABLES TO shop_readonly;
       ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner REVOKE ALL ON TABLES FROM shop;
       ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA public GRANT ALL ON SEQUENCES TO PUBLIC`,
    ],
  ])("rights: %s", async (_, sql) => {
    const before = await server.sql("shop", allRights);
    await server.sql("shop", sql);
    expect(await drift()).toEqual([
      expect.stringMatching(
        /^privileges in shop differ from the declared ones: \w+ (?:lacks|also has|may grant to others) .+; up corrects them$/,
      ),
    ]);
    expect((await mend()).changed).toEqual([
      expect.stringMatching(/^shop: \d changes? of rights$/),
    ]);
    expect(await server.sql("shop", allRights)).toBe(before);
    expect(await drift()).toEqual([]);
  });

  test("everybody's rights in PostgreSQL's own databases", async () => {
    await server.sql("postgres", "GRANT CONNECT ON DATABASE postgres, template1 TO PUBLIC");
    expect((await look()).rights).toEqual(["postgres", "template1"]);
    expect((await mend()).changed).toEqual([
      "postgres: no longer open to PUBLIC",
      "template1: no longer open to PUBLIC",
    ]);
    expect((await look()).rights).toEqual([]);
  });

  test("a role that was dropped", async () => {
    await server.sql("shop", "DROP OWNED BY shop_readonly; DROP ROLE shop_readonly; DROP ROLE ada");
    expect(await drift()).toEqual([
      "role shop_readonly is missing; up recreates it",
      "role ada is missing; up recreates it",
    ]);
    expect(await mend()).toEqual({
      created: ["shop_readonly", "ada"],
      changed: [expect.stringMatching(/^shop: \d changes of rights$/)],
    });
    const reader = { user: "shop_readonly", password: passwords.readonly, database: "shop" };
    expect((await server.as(reader, "SELECT id FROM t")).stdout).toBe("1\n");
  });
});

test("each of many changes by hand has its sentence at preview, and one up corrects all of them", async () => {
  const [tester, helpDesk] = ["Tester", "HelpDesk"] as const;
  const bob = { name: "bob", role: tester, password: "of bob's own" };
  const henry = { name: "henry", role: helpDesk, password: "of henry's own" };
  const iris = { name: "iris", role: helpDesk, password: "of iris's own" };
  const all = { database: "shop", ...passwords, people: [...people, bob, henry, iris] };
  expect(await server.makeRoles(all)).toMatchObject({ status: 0 });
  const declared = { ...all, people: [...people, bob, henry] };
  expect(await server.makeRoles(declared)).toMatchObject({ status: 0 });
  const logins = ["ada", "bob", "henry"];
  expect(areRolesUpToDate(await look(), logins)).toBe(true);
  const before = await server.sql(
    "postgres",
    "SELECT datdba FROM pg_database WHERE datname = 'shop'",
  );

  // Some of the changes concern the session that makes the next one.
  const own = "SET ROLE NONE; SET default_transaction_read_only = off; SET lock_timeout = 0;";
  for (const { sql } of driftCases) await server.sql("shop", `${own} ${sql}`);
  const seen = rolesDrift(await look(), logins);
  for (const { sentence } of driftCases)
    expect(seen).toContainEqual(
      typeof sentence === "string" ? sentence : expect.stringMatching(sentence),
    );
  const said = await server.makeRoles(declared);
  expect(said.status, said.stderr).toBe(0);
  const left = await look();
  expect(areRolesUpToDate(left, logins), rolesDrift(left, logins).join("\n")).toBe(true);
  expect(left.strangers?.map(({ role }) => role)).toEqual(["mallory"]);
  expect(
    await server.sql("postgres", "SELECT datdba FROM pg_database WHERE datname = 'shop'"),
  ).toBe(before);
  const mallory = { user: "mallory", password: "x12345678", database: "shop" };
  expect((await server.as(mallory, "SELECT 1")).stderr).toContain("permission denied for database");
  const shop = { user: "shop", password: passwords.application, database: "shop" };
  expect((await server.as(shop, "INSERT INTO public.t VALUES (7)")).stderr).toBe("");
  await server.sql("shop", "DROP ROLE mallory; DELETE FROM public.t WHERE id = 7");
  await mend();
});

describe("what somebody did to let himself or others in is seen, and corrected", () => {
  const ada = { user: "ada", database: "shop" };

  test("a password of another's, or none", async () => {
    await server.sql(
      "postgres",
      `ALTER ROLE shop PASSWORD 'known to somebody'; ALTER ROLE shop_readonly PASSWORD NULL;
       ALTER ROLE stagecraft_monitor PASSWORD 'of the monitor'; ALTER ROLE shop_owner PASSWORD 'for later';
       ALTER ROLE ada PASSWORD 'her next one'`,
    );
    expect(await drift()).toEqual([
      "role ada has a password that up did not set; up corrects it",
      "role shop has a password that up did not set; up corrects it",
      "role shop_owner has a password; up corrects it",
      "role shop_readonly has no password; up corrects it",
      // The same one, but with another salt.
      "role stagecraft_monitor has a password that up did not set; up corrects it",
    ]);
    expect((await mend()).changed).toEqual([
      "shop_owner: has a password; now PASSWORD NULL",
      "shop: new password",
      "shop_readonly: new password",
      "ada: new password",
    ]);
    expect(await drift()).toEqual([]);
    const shop = { user: "shop", database: "shop" };
    expect((await server.as({ ...shop, password: "known to somebody" }, "")).stderr).toContain(
      "password authentication failed",
    );
  });

  test("parameters of roles, everywhere and in one database, of the superuser and of all", async () => {
    await server.sql(
      "postgres",
      `CREATE SCHEMA evil; ALTER ROLE shop SET search_path = evil, public; ALTER ROLE shop SET "app.key" = 'it''s = secret';
       ALTER ROLE shop_readonly SET default_transaction_read_only = off; ALTER ROLE ada IN DATABASE shop SET statement_timeout = '1ms';
       ALTER ROLE postgres SET search_path = evil; ALTER ROLE postgres IN DATABASE shop SET role = 'shop';
       ALTER ROLE ALL SET statement_timeout = '90s'; DROP SCHEMA evil`,
    );
    expect(await drift()).toEqual([
      "role ada has a setting of statement_timeout in database shop; up corrects it",
      "role shop has a setting of search_path; up corrects it",
      "role shop has a setting of app.key; up corrects it",
      "role shop_readonly has the setting default_transaction_read_only = off instead of on; up corrects it",
      "role postgres has a setting of search_path; up corrects it",
      "role postgres has a setting of role in database shop; up corrects it",
      "role ALL has a setting of statement_timeout; up corrects it",
    ]);
    expect(await mend()).toMatchObject({ created: [] });
    expect(await drift()).toEqual([]);
    const left = `SELECT count(*) FROM pg_db_role_setting s CROSS JOIN unnest(setconfig) AS t WHERE t ~ '^(search_path|app|role)'`;
    expect(await server.sql("postgres", left)).toBe("0");
  });

  test("parameters of a database: what only a superuser may set; the owner's are a note", async () => {
    await server.sql(
      "postgres",
      `ALTER DATABASE shop SET session_preload_libraries = 'auto_explain'; ALTER DATABASE shop SET "TimeZone" = 'Europe/Berlin';
       ALTER DATABASE shop SET search_path = public`,
    );
    expect(await drift()).toEqual([
      "database shop sets session_preload_libraries, which only a superuser may set; up corrects it",
    ]);
    const note = [{ database: "shop", names: ["TimeZone", "search_path"] }];
    expect((await look()).parameters?.map(({ names }) => names.toSorted())).toEqual([
      note[0]?.names.toSorted(),
    ]);
    expect((await mend()).changed).toEqual(["shop: now RESET session_preload_libraries"]);
    expect(await drift()).toEqual([]);
    expect(await server.sql("shop", "SHOW timezone")).toBe("Europe/Berlin");
    await server.sql(
      "postgres",
      `ALTER DATABASE shop RESET "TimeZone"; ALTER DATABASE shop RESET search_path`,
    );
    // The stamp is still there.
    expect((await server.databases()).includes("shop")).toBe(true);
    expect((await look()).missing).toEqual([]);
  });

  test("memberships: strangers in our roles, ours in others, other options, other grantors", async () => {
    await server.sql(
      "postgres",
      `CREATE ROLE erin LOGIN PASSWORD 'of erin'; CREATE ROLE bot;
       GRANT shop_owner TO erin; GRANT ada TO erin; GRANT postgres TO bot; GRANT stagecraft_dbadmin TO shop_readonly;
       GRANT stagecraft_dbadmin TO ada WITH ADMIN OPTION; SET ROLE ada; GRANT stagecraft_dbadmin TO bot; RESET ROLE;
       GRANT SET ON PARAMETER log_statement TO shop`,
    );
    expect((await look()).strangers).toEqual([
      { role: "erin", faults: ["may log in"], statements: ['ALTER ROLE "erin" NOLOGIN'] },
    ]);
    expect((await drift()).slice(0, -1)).toEqual([
      "role ada is a member of stagecraft_dbadmin with other options or by another grantor; up corrects it",
      "role ada has the member erin, which is not declared; up corrects it",
      "role shop may set log_statement; up corrects it",
      "role shop_owner has the member erin, which is not declared; up corrects it",
      "role shop_readonly is a member of stagecraft_dbadmin; up corrects it",
      "role stagecraft_dbadmin has the member bot, which is not declared; up corrects it",
      "role postgres has the member bot, which is not declared; up corrects it",
    ]);
    const erin = { user: "erin", password: "of erin", database: "shop" };
    const held = server.as(erin, "SET ROLE shop_owner; SELECT pg_sleep(7200)");
    const sleeps =
      "SELECT count(*) FROM pg_stat_activity WHERE usename = 'erin' AND query ~ 'sleep'";
    await until("erin's session", async () => (await server.sql("postgres", sleeps)) === "1");
    await mend();
    expect((await held).stderr).toContain("terminating connection");
    expect((await server.as(erin, "SET ROLE shop_owner")).stderr).toMatch(/permission denied/);
    expect(await drift()).toEqual([
      'role erin, which Stagecraft does not manage, may log in; to change that: ALTER ROLE "erin" NOLOGIN',
    ]);
    expect(await mend()).toEqual({ created: [], changed: [] });
    await server.sql("postgres", "DROP ROLE erin; DROP ROLE bot");
  });

  test("a user of another team role, and one who was removed and let in again", async () => {
    const tess = { name: "tess", role: "Tester" as const, password: "of tess's own" };
    const both = await server.makeRoles({
      ...{ database: "shop", ...passwords },
      people: [...people, tess],
    });
    expect(both.status, both.stderr).toBe(0);
    await server.sql(
      "postgres",
      "GRANT stagecraft_dbadmin TO tess; GRANT shop_owner TO stagecraft_tester",
    );
    expect(await drift()).toEqual([
      "role stagecraft_tester is a member of shop_owner; up corrects it",
      "role tess is a member of stagecraft_dbadmin; up corrects it",
    ]);
    await mend();
    expect(await drift()).toEqual([]);
    await server.sql(
      "postgres",
      "ALTER ROLE tess LOGIN PASSWORD 'back again'; GRANT stagecraft_dbadmin TO tess; ALTER ROLE tess CREATEROLE",
    );
    expect(await drift()).toEqual([
      "role tess may create roles; up corrects it",
      "role tess may log in but is not listed in people; up corrects it",
      "role tess has a password; up corrects it",
      "role tess is a member of stagecraft_dbadmin; up corrects it",
    ]);
    expect((await mend()).changed).toEqual([
      "tess: no longer a member of stagecraft_dbadmin",
      "tess: no longer listed in people, cannot log in",
      "tess: may create roles; now NOCREATEROLE",
    ]);
    expect(await drift()).toEqual([]);
  });

  test("a role that somebody gave the comment of ours, to hide it", async () => {
    await server.sql(
      "postgres",
      "CREATE ROLE shadow LOGIN PASSWORD 'of the shadow'; COMMENT ON ROLE shadow IS 'stagecraft: application'",
    );
    expect(await drift()).toEqual([
      "role shadow may log in but belongs to no database of this server; up corrects it",
      "role shadow has a password; up corrects it",
    ]);
    expect((await mend()).changed).toEqual([
      "shadow: belongs to no database of this server, cannot log in",
    ]);
    expect(await drift()).toEqual([]);
    await server.sql("postgres", "DROP ROLE shadow");
  });

  test("owners: of the database, of schemas and of tables", async () => {
    await server.sql("postgres", "ALTER DATABASE shop OWNER TO shop");
    await server.sql(
      "shop",
      `CREATE SCHEMA mine AUTHORIZATION shop; CREATE TABLE mine.t (id int); ALTER TABLE mine.t OWNER TO ada;
       CREATE ROLE erin LOGIN; CREATE TABLE public.hers (id int); ALTER TABLE public.hers OWNER TO erin`,
    );
    const seen = await look();
    expect(seen.databases).toEqual([
      {
        database: "shop",
        faults: [
          "belongs to shop instead of shop_owner",
          "has 1 object of ada that should belong to shop_owner",
          "has 1 object of shop that should belong to shop_owner",
        ],
      },
    ]);
    expect(seen.strangers).toEqual([
      {
        role: "erin",
        faults: ["may log in", "owns objects in shop"],
        statements: [
          'ALTER ROLE "erin" NOLOGIN',
          'REASSIGN OWNED BY "erin" TO "shop_owner" (in shop)',
        ],
      },
    ]);
    expect((await mend()).changed).toContain("shop: now belongs to shop_owner");
    await server.sql("shop", "DROP TABLE public.hers; DROP ROLE erin; DROP SCHEMA mine CASCADE");
    expect(await drift()).toEqual([]);
    // What is temporary is nobody's business.
    expect((await server.as({ ...ada, password: "of ada's own" }, "SELECT 1")).stderr).toBe("");
  });

  test("privileges of single roles in the databases that only the agent and the monitor use", async () => {
    await server.sql(
      "postgres",
      `GRANT CONNECT ON DATABASE postgres, template1, ${ownDatabase} TO shop; GRANT TEMPORARY ON DATABASE postgres TO stagecraft_monitor`,
    );
    expect((await look()).rights).toEqual(["postgres", ownDatabase, "template1"]);
    await mend();
    expect(await drift()).toEqual([]);
    const monitor = { user: "stagecraft_monitor", password: passwords.monitor };
    expect((await server.as({ ...monitor, database: "postgres" }, "SELECT 1")).stdout).toBe("1\n");
  });
});

// Roles of the server of the tests: neither declared by this stack nor of a database that is there.
const left = ["app", "app_readonly"];

test.each([
  [
    "an older agent, which kept no record of what it set",
    "rm /var/lib/stagecraft/roles.json",
    left,
  ],
  ["a record that is damaged", "echo '{' > /var/lib/stagecraft/roles.json", []],
])("%s: the next up makes one, and changes nothing that is declared", async (_, script, others) => {
  expect(await server.run(["sh", "-c", script])).toMatchObject({ status: 0 });
  expect(await drift()).toEqual([
    ...others.flatMap((role) => [
      `role ${role} may log in but belongs to no database of this server; up corrects it`,
      `role ${role} has a password; up corrects it`,
    ]),
    "the agent does not remember which passwords and memberships up has set, so changes of them are not detected; up corrects it",
  ]);
  expect(areRolesUpToDate(await look(), ["ada"])).toBe(false);
  expect(await mend()).toEqual({
    created: [],
    changed: others.map((role) => `${role}: belongs to no database of this server, cannot log in`),
  });
  expect(await drift()).toEqual([]);
  expect(areRolesUpToDate(await look(), ["ada"])).toBe(true);
});

test("a role that changes itself and does not commit makes up wait, which says for whom", async () => {
  const monitor = { user: "stagecraft_monitor", password: passwords.monitor, database: "postgres" };
  await server.sql("postgres", "ALTER ROLE stagecraft_monitor CONNECTION LIMIT 3");
  const held = server.as(
    monitor,
    "BEGIN; ALTER ROLE stagecraft_monitor SET work_mem = '5MB'; ALTER ROLE stagecraft_monitor PASSWORD 'another one'; SELECT pg_sleep(7200)",
  );
  const sleeps = `SELECT pid FROM pg_stat_activity WHERE usename = 'stagecraft_monitor' AND query ~ 'sleep'`;
  const pid = await until("it", async () => server.sql("postgres", sleeps));
  const said = server.makeRoles({ database: "shop", ...passwords, people });
  const waits = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stagecraft-agent' AND wait_event_type = 'Lock'
    AND query_start < clock_timestamp() - interval '10 s'`;
  await until("the agent waits", async () => (await server.sql("postgres", waits)) === "1");
  await server.sql("postgres", `SELECT pg_terminate_backend(${pid})`);
  await held;
  const { status, stderr } = await said;
  expect(status, stderr).toBe(0);
  expect(stderr).toMatch(
    new RegExp(
      `waiting for process ${pid} \\(role stagecraft_monitor, psql, from [\\d.]+, connected for .*; to end it: SELECT pg_terminate_backend\\(${pid}\\)`,
    ),
  );
  expect(await drift()).toEqual([]);
});

test("superusers that are not ours are named, with the fix, and left alone", async () => {
  await server.sql("postgres", 'CREATE ROLE "The Boss" SUPERUSER LOGIN');
  expect(await drift()).toEqual([
    `role The Boss is a superuser that Stagecraft does not manage; to change that: ALTER ROLE "The Boss" NOSUPERUSER`,
  ]);
  expect(await mend()).toEqual({ created: [], changed: [] });
  expect(
    await server.sql("postgres", `SELECT rolsuper FROM pg_roles WHERE rolname = 'The Boss'`),
  ).toBe("t");
  await server.sql("postgres", 'DROP ROLE "The Boss"');
});

test("a role that somebody uses can be mended while it works", async () => {
  const shop = { user: "shop", password: passwords.application, database: "shop" };
  const work = Array.from({ length: 4 }, async () => {
    const loop =
      "SELECT 'BEGIN; INSERT INTO t VALUES (1); DELETE FROM t WHERE id = 2; COMMIT' FROM generate_series(1, 300) \\gexec";
    return server.as(shop, loop.replaceAll("BEGIN; ", "").replaceAll("; COMMIT", ""));
  });
  for (let i = 0; i < 4; i++) {
    await server.sql("shop", "GRANT TRUNCATE ON public.t TO shop");
    expect((await mend()).changed).toEqual(["shop: 1 change of rights"]);
  }
  for (const said of await Promise.all(work)) expect(said).toMatchObject({ status: 0, stderr: "" });
});

test("a database that somebody else made is taken over, without a restore", async () => {
  await server.sql("postgres", "CREATE ROLE wiki LOGIN; CREATE DATABASE wiki OWNER wiki");
  await server.sql(
    "wiki",
    "SET ROLE wiki; CREATE TABLE public.pages (id int); SELECT lo_create(7); INSERT INTO public.pages VALUES (1)",
  );
  const said = await server.makeRoles({ database: "wiki", ...passwords });
  expect(said.status, said.stderr).toBe(0);
  expect(rolesResultSchema.parse(JSON.parse(said.stdout)).changed).toContain(
    "wiki: now belongs to wiki_owner",
  );
  const wiki = { user: "wiki", password: passwords.application, database: "wiki" };
  expect((await server.as(wiki, "SELECT id FROM pages; SELECT lo_unlink(7)")).stdout).toBe(
    "1\n1\n",
  );
  expect((await server.as(wiki, "DROP TABLE pages")).stderr).toContain(
    "must be owner of table pages",
  );
  expect((await server.as(wiki, "DROP DATABASE wiki")).stderr).toContain(
    "must be owner of database wiki",
  );
  const owners =
    "SELECT tableowner FROM pg_tables WHERE tablename = 'pages'; SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'wiki'";
  expect(await server.sql("wiki", owners)).toBe("wiki_owner\nwiki_owner");
});

test("a database that was only restored, and is not the stack's, has rights that up leaves alone", async () => {
  const dump = Buffer.from(plainDump("CREATE TABLE public.t (id int);"));
  const { result } = await server.restore({ database: "guest", dump });
  expect(result.result, result.text).toBe("restored");
  const before = await drift();
  await server.sql("postgres", "CREATE ROLE visitor; GRANT CONNECT ON DATABASE guest TO visitor");
  expect(await drift()).toEqual(before);
  expect(before.join("\n")).not.toContain("guest");
  await server.sql("postgres", "DROP DATABASE guest; DROP ROLE visitor");
});
