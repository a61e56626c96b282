import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { useLiveDatabase } from "../../support/databases/live-database";

const server = useServer();
const former = useLiveDatabase(server);

const dumps = new Map<string, Buffer>();
const missing = ["erp owner", "reader", "policy_user", "defaulter"];

beforeAll(async () => {
  const roles = missing.map((role) => `CREATE ROLE "${role}";`).join(" ");
  await server.createDatabase(
    "source",
    `${roles}
     CREATE TABLE public.mine (id int);
     CREATE TABLE public.theirs (id int);
     ALTER TABLE public.theirs OWNER TO "erp owner";
     CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
     ALTER FUNCTION public.f() OWNER TO "erp owner";
     CREATE SCHEMA theirs AUTHORIZATION "erp owner";
     CREATE TABLE theirs.t (id int PRIMARY KEY);
     ALTER TABLE theirs.t OWNER TO "erp owner";
     CREATE PUBLICATION published FOR TABLE theirs.t;
     ALTER PUBLICATION published OWNER TO "erp owner";
     GRANT SELECT ON public.mine, public.theirs TO reader;
     GRANT INSERT (id) ON public.mine TO reader WITH GRANT OPTION;
     ALTER DEFAULT PRIVILEGES FOR ROLE defaulter IN SCHEMA public GRANT SELECT ON TABLES TO reader;
     INSERT INTO public.theirs VALUES (1), (2);`,
  );
  dumps.set("plain", await server.dump("source"));
  dumps.set("custom", await server.dump("source", "-Fc"));
  dumps.set(
    "session authorization",
    await server.dump("source", "--use-set-session-authorization"),
  );
  await server.sql("source", "CREATE POLICY p ON public.mine TO policy_user USING (true)");
  dumps.set("plain with a policy", await server.dump("source"));
  dumps.set("custom with a policy", await server.dump("source", "-Fc"));
  await dropRoles();
});

/** As on a server that never saw the dump. */
async function dropRoles(): Promise<void> {
  const databases = (await server.databases()).filter((name) => /^(?:source|of )/.test(name));
  for (const name of databases) await server.sql("postgres", `DROP DATABASE "${name}"`);
  await server.sql("postgres", missing.map((role) => `DROP ROLE IF EXISTS "${role}";`).join(" "));
}

const dumpOf = (name: string): Buffer => dumps.get(name) ?? Buffer.alloc(0);
const aclSql = `SELECT relname, pg_get_userbyid(relowner), relacl::text LIKE '%reader%' FROM pg_class WHERE relname IN ('mine', 'theirs') ORDER BY 1`;

describe('"leave out" restores without the roles, and reports each by name', () => {
  test.each(["plain", "custom"])("%s", async (format) => {
    await dropRoles();
    const { result } = await server.restore({ database: `of ${format}`, dump: dumpOf(format) });
    expect(result.result, result.text).toBe("restored");
    expect(result.verdict?.outcome).toBe("passed with notes");
    const roles = Object.fromEntries(
      (result.verdict?.roles ?? []).map((report) => [report.role, report]),
    );
    expect(roles["erp owner"]).toMatchObject({ choice: "left out", objects: 5 });
    expect(roles["reader"]).toMatchObject({ choice: "left out", objects: 0 });
    expect(roles["reader"]?.grants).toBeGreaterThanOrEqual(3);
    expect(result.text).toMatch(/role erp owner: 5 objects restored without owner/);
    expect(result.text).toMatch(/role reader: \d grants left out/);
    expect(await server.sql(`of ${format}`, `${aclSql}; SELECT count(*) FROM public.theirs`)).toBe(
      `mine|of ${format}_owner|f\ntheirs|of ${format}_owner|f\n2`,
    );
    expect(
      await server.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'reader'"),
    ).toBe("0");
  });

  test("with SET SESSION AUTHORIZATION instead of owners", async () => {
    await dropRoles();
    const { result } = await server.restore({
      database: "of sessions",
      dump: dumpOf("session authorization"),
    });
    expect(result.result, result.text).toBe("restored");
    expect(await server.sql("of sessions", aclSql)).toBe(
      "mine|of sessions_owner|f\ntheirs|of sessions_owner|f",
    );
  });

  test("and no role is mentioned of a dump without owners", async () => {
    const { result } = await server.restore({
      database: "of nobody",
      dump: Buffer.from(
        plainDump("CREATE TABLE public.t (id int);\nCOPY public.t FROM stdin;\n\\.\n"),
      ),
    });
    expect(result.verdict).toMatchObject({ outcome: "passed", roles: [] });
  });
});

describe('"create without login" makes the roles', () => {
  test.each(["plain", "custom"])("%s", async (format) => {
    await dropRoles();
    const { result } = await server.restore({
      database: `of ${format}`,
      dump: dumpOf(format),
      roles: "create without login",
    });
    expect(result.result, result.text).toBe("restored");
    expect(result.verdict?.causes).toEqual([]);
    for (const role of ["erp owner", "reader", "defaulter"])
      expect(result.text).toContain(`role ${role}: created without login`);
    const facts = await server.sql(
      `of ${format}`,
      `SELECT relname, relowner::regrole FROM pg_class WHERE relname = 'theirs';
       SELECT bool_or(rolcanlogin OR rolsuper), count(*) FROM pg_roles WHERE rolname IN ('erp owner', 'reader', 'defaulter');
       SELECT has_table_privilege('reader', 'public.mine', 'SELECT'), has_column_privilege('reader', 'public.mine', 'id', 'INSERT WITH GRANT OPTION');
       SELECT count(*) FROM pg_default_acl WHERE defaclrole = 'defaulter'::regrole;
       SELECT count(*) FROM pg_class WHERE relowner NOT IN (SELECT oid FROM pg_roles);
       SELECT tablename, pubowner::regrole FROM pg_publication_tables JOIN pg_publication USING (pubname)`,
    );
    expect(facts).toBe('theirs|"erp owner"\nf|3\nt|t\n1\n0\nt|"erp owner"');
    await server.expectNothingUnfinished();
  });
});

describe("a policy for a role that is missing", () => {
  test.each(["plain with a policy", "custom with a policy"])(
    "fails with the fix, and passes with the role: %s",
    async (format) => {
      await dropRoles();
      const text = /role "policy_user" does not exist .*POLICY p/;
      const { stderr } = await former.expectRefused(dumpOf(format), "policy", text);
      expect(stderr).toContain(
        'set database.roles: "create without login" so that policy_user is created',
      );
      const { result } = await server.restore({
        database: `of ${format}`,
        dump: dumpOf(format),
        roles: "create without login",
      });
      expect(result.result, result.text).toBe("restored");
      expect(await server.sql(`of ${format}`, "SELECT polroles::regrole[] FROM pg_policy")).toBe(
        "{policy_user}",
      );
    },
  );
});

test("a user mapping of a role that is missing fails with the fix, and its password is told nowhere", async () => {
  await dropRoles();
  await server.createDatabase(
    "of mappings",
    `CREATE ROLE reader;
     CREATE EXTENSION postgres_fdw;
     CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'other.example.com');
     CREATE USER MAPPING FOR reader SERVER other OPTIONS ("user" 'x', password 'told nowhere');`,
  );
  const plain = await server.dump("of mappings");
  const archive = await server.dump("of mappings", "-Fc");
  expect(plain.toString()).toContain("told nowhere");
  await dropRoles();
  for (const dump of [plain, archive]) {
    const text = /role "reader" does not exist .*USER MAPPING/;
    const { stderr, result } = await former.expectRefused(dump, "mapping", text);
    expect(stderr).toContain('set database.roles: "create without login"');
    const log = await server.agent(["log", result.log ?? ""]);
    expect(log.stdout).toContain("USER MAPPING");
    const logs = await execa("docker", ["logs", server.postgres], { all: true });
    const told = [stderr, JSON.stringify(result), log.stdout, logs.all];
    expect(told.filter((one) => one.includes("told nowhere"))).toEqual([]);
  }
  const request = { database: "of mappings", dump: plain, roles: "create without login" } as const;
  expect((await server.restore(request)).result.result).toBe("restored");
  const mapped = "SELECT usename, umoptions FROM pg_user_mappings";
  expect(await server.sql("of mappings", mapped)).toBe('reader|{"password=told nowhere",user=x}');
});

test("a dump whose owner is postgres belongs to the database's owner", async () => {
  const dump = plainDump(
    "CREATE TABLE public.t (id int);\nALTER TABLE public.t OWNER TO postgres;\nALTER SCHEMA public OWNER TO postgres;",
  );
  const { result } = await server.restore({ database: "of postgres", dump: Buffer.from(dump) });
  expect(result.verdict?.roles).toMatchObject([{ role: "postgres", objects: 2 }]);
  expect(
    await server.sql(
      "of postgres",
      "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 't'",
    ),
  ).toBe("of postgres_owner");
});
