import { beforeAll, describe, expect, test } from "vitest";
import { observationSchema } from "../../../model/observation/observation";
import { rolesDrift } from "../../../model/roles/drift";
import {
  rolesResultSchema,
  type RolesObservation,
  type RolesResult,
} from "../../../model/roles/protocol";
import { useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";

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

const quiet = { faults: [], missing: [], superusers: [], rights: [] };

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
      "role ada is a member of postgres; up corrects it",
      "role shop is a superuser; up corrects it",
      "role shop is a member of shop_owner; up corrects it",
      "role shop_owner may log in; up corrects it",
      "role shop_readonly may create databases; up corrects it",
      "role shop_readonly has a connection limit; up corrects it",
      "role shop_readonly does not start read-only transactions; up corrects it",
      "role shop_readonly is a member of pg_write_all_data; up corrects it",
      "role stagecraft_monitor has a password that expires; up corrects it",
      "role ada is missing or may not log in; up corrects it",
    ]);
    expect((await mend()).changed).toEqual([
      "shop_owner: may log in; now NOLOGIN",
      "shop: is a superuser; now NOSUPERUSER",
      "shop: no longer a member of shop_owner",
      "shop_readonly: may create databases; now NOCREATEDB",
      "shop_readonly: has a connection limit; now CONNECTION LIMIT -1",
      "shop_readonly: does not start read-only transactions; now SET default_transaction_read_only = on",
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
      "privileges in shop differ from the declared ones; up corrects them",
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
      "role ada is missing or may not log in; up corrects it",
    ]);
    expect(await mend()).toEqual({
      created: ["shop_readonly", "ada"],
      changed: [expect.stringMatching(/^shop: \d changes of rights$/)],
    });
    const reader = { user: "shop_readonly", password: passwords.readonly, database: "shop" };
    expect((await server.as(reader, "SELECT id FROM t")).stdout).toBe("1\n");
  });
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
