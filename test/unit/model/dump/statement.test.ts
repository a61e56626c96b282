import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeStatement, type StatementFacts } from "../../../../model/dump/statement";
import { quoteIdentifier } from "../../../../model/base/sql";

type Row = readonly [
  statement: string,
  action: StatementFacts["action"],
  object?: string | undefined,
  rest?: { readonly name?: string; readonly table?: string; readonly roles?: readonly string[] },
];

function check(rows: readonly Row[]): void {
  test.each(rows.map((row) => [row[0].split("\n")[0], row] as const))("%s", (_, row) => {
    const [statement, action, object, rest = {}] = row;
    const { excerpt, ...facts } = describeStatement(statement);
    expect(facts).toEqual({
      action,
      roles: [],
      ...(object === undefined ? {} : { object }),
      ...rest,
    });
    expect(excerpt.length).toBeLessThanOrEqual(160);
  });
}

describe("rows", () => {
  check([
    [
      "COPY public.users (id, name) FROM stdin",
      "copy",
      "TABLE public.users",
      { name: "public.users", table: "public.users" },
    ],
    ["COPY users FROM stdin", "copy", "TABLE users", { name: "users", table: "users" }],
    [
      'COPY "Sales, EU"."a.b ""c""" ("x") FROM stdin',
      "copy",
      'TABLE "Sales, EU"."a.b ""c"""',
      { name: 'Sales, EU.a.b "c"', table: 'Sales, EU.a.b "c"' },
    ],
    ["COPY (SELECT 1) TO stdout", "copy"],
    [
      "INSERT INTO public.users VALUES (1, 'INSERT INTO x')",
      "insert",
      "TABLE public.users",
      { name: "public.users", table: "public.users" },
    ],
    [
      'INSERT INTO public."a\n  b" (id) OVERRIDING SYSTEM VALUE VALUES (1)',
      "insert",
      'TABLE public."a\n  b"',
      { name: "public.a\n  b", table: "public.a\n  b" },
    ],
  ]);
});

describe("creating", () => {
  const table = { table: "public.t" };
  check([
    [
      "CREATE TABLE public.users (\n  id integer DEFAULT 'ON x'\n)",
      "create",
      "TABLE public.users",
      { name: "public.users" },
    ],
    ["CREATE UNLOGGED TABLE public.u ()", "create", "TABLE public.u", { name: "public.u" }],
    ["CREATE TABLE IF NOT EXISTS u ()", "create", "TABLE u", { name: "u" }],
    [
      "CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN ('a')",
      "create",
      "TABLE public.p1",
      { name: "public.p1" },
    ],
    [
      "CREATE FOREIGN TABLE public.f (a integer) SERVER s",
      "create",
      "FOREIGN TABLE public.f",
      { name: "public.f" },
    ],
    [
      "CREATE VIEW public.v AS SELECT a FROM b JOIN c ON c.a = b.a",
      "create",
      "VIEW public.v",
      { name: "public.v" },
    ],
    [
      "CREATE OR REPLACE VIEW public.v AS\nSELECT\n    NULL::integer AS id",
      "create",
      "VIEW public.v",
      { name: "public.v" },
    ],
    ["CREATE RECURSIVE VIEW v AS SELECT 1", "create", "VIEW v", { name: "v" }],
    [
      "CREATE MATERIALIZED VIEW public.m AS SELECT 1 WITH NO DATA",
      "create",
      "MATERIALIZED VIEW public.m",
      { name: "public.m" },
    ],
    ["CREATE SEQUENCE public.s START WITH 1", "create", "SEQUENCE public.s", { name: "public.s" }],
    ["CREATE TYPE public.e AS ENUM ('a')", "create", "TYPE public.e", { name: "public.e" }],
    ["CREATE DOMAIN public.d AS text", "create", "DOMAIN public.d", { name: "public.d" }],
    ["CREATE SCHEMA audit", "create", "SCHEMA audit", { name: "audit" }],
    [
      "CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog",
      "create",
      "EXTENSION plpgsql",
      { name: "plpgsql" },
    ],
    [
      'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public',
      "create",
      'EXTENSION "uuid-ossp"',
      { name: "uuid-ossp" },
    ],
    ["CREATE PROCEDURAL LANGUAGE plpgsql", "create", "LANGUAGE plpgsql", { name: "plpgsql" }],
    [
      "CREATE OR REPLACE PROCEDURAL LANGUAGE plpgsql",
      "create",
      "LANGUAGE plpgsql",
      { name: "plpgsql" },
    ],
    [
      "CREATE OR REPLACE TRUSTED PROCEDURAL LANGUAGE plperl HANDLER h",
      "create",
      "LANGUAGE plperl",
      { name: "plperl" },
    ],
    [
      "CREATE FUNCTION public.f(a integer DEFAULT 1) RETURNS trigger LANGUAGE plpgsql AS $$ALTER TABLE x OWNER TO y; DROP TABLE z$$",
      "create",
      "FUNCTION public.f",
      { name: "public.f" },
    ],
    [
      "CREATE OR REPLACE FUNCTION public.f() RETURNS void AS 'x' LANGUAGE sql",
      "create",
      "FUNCTION public.f",
      { name: "public.f" },
    ],
    [
      "CREATE PROCEDURE public.p() LANGUAGE sql AS $$$$",
      "create",
      "PROCEDURE public.p",
      { name: "public.p" },
    ],
    [
      "CREATE AGGREGATE public.a(integer) (SFUNC = f)",
      "create",
      "AGGREGATE public.a",
      { name: "public.a" },
    ],
    [
      "CREATE OPERATOR public.=== (FUNCTION = f, LEFTARG = t)",
      "create",
      "OPERATOR public.===",
      { name: "public.===" },
    ],
    ["CREATE OPERATOR ~~* (PROCEDURE = f)", "create", "OPERATOR ~~*", { name: "~~*" }],
    [
      "CREATE OPERATOR CLASS public.o\n    DEFAULT FOR TYPE t USING btree AS OPERATOR 1 <",
      "create",
      "OPERATOR CLASS public.o",
      { name: "public.o" },
    ],
    [
      "CREATE OPERATOR FAMILY public.o USING btree",
      "create",
      "OPERATOR FAMILY public.o",
      { name: "public.o" },
    ],
    [
      "CREATE CAST (text AS public.e) WITH INOUT AS ASSIGNMENT",
      "create",
      "CAST (text AS public.e)",
    ],
    [
      "CREATE TRANSFORM FOR public.hstore LANGUAGE plperl (FROM SQL WITH FUNCTION f)",
      "create",
      "TRANSFORM public.hstore",
    ],
    [
      "CREATE COLLATION public.c (provider = icu, locale = 'de')",
      "create",
      "COLLATION public.c",
      { name: "public.c" },
    ],
    [
      "CREATE DEFAULT CONVERSION public.c FOR 'UTF8' TO 'LATIN1' FROM f",
      "create",
      "CONVERSION public.c",
      { name: "public.c" },
    ],
    [
      "CREATE TEXT SEARCH CONFIGURATION public.c (PARSER = p)",
      "create",
      "TEXT SEARCH CONFIGURATION public.c",
      { name: "public.c" },
    ],
    ["CREATE ACCESS METHOD m TYPE TABLE HANDLER h", "create", "ACCESS METHOD m", { name: "m" }],
    ["CREATE FOREIGN DATA WRAPPER w", "create", "FOREIGN DATA WRAPPER w", { name: "w" }],
    ["CREATE SERVER s FOREIGN DATA WRAPPER w", "create", "SERVER s", { name: "s" }],
    ["CREATE PUBLICATION p FOR ALL TABLES", "create", "PUBLICATION p", { name: "p" }],
    [
      "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.f()",
      "create",
      "EVENT TRIGGER e",
      { name: "e" },
    ],
    ["CREATE INDEX i ON public.t USING btree (a)", "create", "INDEX i", { name: "i", ...table }],
    [
      "CREATE UNIQUE INDEX i ON ONLY public.t USING btree (a)",
      "create",
      "INDEX i",
      { name: "i", ...table },
    ],
    [
      "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON public.t (a)",
      "create",
      "INDEX i",
      { name: "i", ...table },
    ],
    ["CREATE INDEX ON public.t (a)", "create", "INDEX", table],
    [
      'CREATE INDEX "a ON b" ON public."T t" (a)',
      "create",
      'INDEX "a ON b"',
      { name: "a ON b", table: "public.T t" },
    ],
    [
      "CREATE TRIGGER g BEFORE INSERT OR UPDATE OF a ON public.t FOR EACH ROW WHEN ((a ON b)) EXECUTE FUNCTION public.f('ON x')",
      "create",
      "TRIGGER g",
      { name: "g", ...table },
    ],
    [
      "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON public.t FROM public.o DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()",
      "create",
      "CONSTRAINT TRIGGER g",
      { name: "g", ...table },
    ],
    [
      "CREATE RULE r AS\n    ON INSERT TO public.t DO INSTEAD NOTHING",
      "create",
      "RULE r",
      { name: "r", ...table },
    ],
    [
      'CREATE RULE "_RETURN" AS ON SELECT TO public.t DO INSTEAD SELECT 1',
      "create",
      'RULE "_RETURN"',
      { name: "_RETURN", ...table },
    ],
    [
      "CREATE STATISTICS public.s ON a, b FROM public.t",
      "create",
      "STATISTICS public.s",
      { name: "public.s", ...table },
    ],
    ["CREATE POLICY p ON public.t", "create", "POLICY p", { name: "p", ...table }],
    ["CREATE POLICY p ON public.t USING ((a TO b))", "create", "POLICY p", { name: "p", ...table }],
    [
      'CREATE POLICY p ON public.t AS RESTRICTIVE FOR SELECT TO alice, "B, b", PUBLIC USING (a)',
      "create",
      "POLICY p",
      { name: "p", ...table, roles: ["alice", "B, b"] },
    ],
    [
      "CREATE USER MAPPING FOR alice SERVER s OPTIONS (\"user\" 'TO bob')",
      "create",
      "USER MAPPING alice",
      { roles: ["alice"] },
    ],
    ["CREATE USER MAPPING FOR PUBLIC SERVER s", "create", "USER MAPPING PUBLIC"],
    ["SELECT pg_catalog.lo_create('16411')", "create", "LARGE OBJECT 16411"],
  ]);
});

describe("dropping", () => {
  check([
    ["DROP TABLE public.t", "drop", "TABLE public.t", { name: "public.t" }],
    ["DROP TABLE IF EXISTS public.t", "drop", "TABLE public.t", { name: "public.t" }],
    [
      "DROP FUNCTION public.f(a integer, OUT b text)",
      "drop",
      "FUNCTION public.f",
      { name: "public.f" },
    ],
    ["DROP FUNCTION IF EXISTS public.f()", "drop", "FUNCTION public.f", { name: "public.f" }],
    ["DROP TYPE public.b CASCADE", "drop", "TYPE public.b", { name: "public.b" }],
    ["DROP PROCEDURAL LANGUAGE plpgsql", "drop", "LANGUAGE plpgsql", { name: "plpgsql" }],
    ["DROP EXTENSION pg_trgm", "drop", "EXTENSION pg_trgm", { name: "pg_trgm" }],
    ["DROP SCHEMA IF EXISTS audit", "drop", "SCHEMA audit", { name: "audit" }],
    ["DROP TRIGGER g ON public.t", "drop", "TRIGGER g", { name: "g", table: "public.t" }],
    [
      'DROP RULE IF EXISTS "_RETURN" ON public.v',
      "drop",
      'RULE "_RETURN"',
      { name: "_RETURN", table: "public.v" },
    ],
    ["DROP POLICY p ON public.t", "drop", "POLICY p", { name: "p", table: "public.t" }],
    ["DROP OPERATOR public.! (integer, NONE)", "drop", "OPERATOR public.!", { name: "public.!" }],
    [
      "DROP OPERATOR CLASS public.o USING gist",
      "drop",
      "OPERATOR CLASS public.o",
      { name: "public.o" },
    ],
    ["DROP CAST (text AS public.e)", "drop", "CAST (text AS public.e)"],
    ["DROP USER MAPPING FOR alice SERVER s", "drop", "USER MAPPING alice"],
    ["DROP INDEX CONCURRENTLY public.i", "drop", "INDEX public.i", { name: "public.i" }],
    ["DROP EVENT TRIGGER e", "drop", "EVENT TRIGGER e", { name: "e" }],
    ["SELECT pg_catalog.lo_unlink('16411')", "drop", "LARGE OBJECT 16411"],
    ["SELECT lo_unlink(16411)", "drop", "LARGE OBJECT 16411"],
    [
      "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '16411'",
      "drop",
      "LARGE OBJECT 16411",
    ],
    [
      'ALTER TABLE ONLY public.t DROP CONSTRAINT "ADD"',
      "drop",
      "TABLE public.t",
      { name: "public.t", table: "public.t" },
    ],
    [
      "ALTER TABLE IF EXISTS ONLY public.t DROP CONSTRAINT IF EXISTS c",
      "drop",
      "TABLE public.t",
      { name: "public.t", table: "public.t" },
    ],
    [
      "ALTER TABLE public.t ALTER COLUMN a DROP DEFAULT",
      "drop",
      "TABLE public.t",
      { name: "public.t", table: "public.t" },
    ],
    [
      'ALTER TABLE public.t ALTER "DROP" DROP DEFAULT',
      "drop",
      "TABLE public.t",
      { name: "public.t", table: "public.t" },
    ],
    [
      "ALTER TABLE public.t DETACH PARTITION public.p",
      "drop",
      "TABLE public.t",
      { name: "public.t", table: "public.t" },
    ],
    [
      "ALTER TABLE public.t DROP COLUMN a",
      "drop",
      "TABLE public.t",
      { name: "public.t", table: "public.t" },
    ],
    ["ALTER DOMAIN public.d DROP CONSTRAINT c", "drop", "DOMAIN public.d", { name: "public.d" }],
  ]);
});

describe("altering is not dropping", () => {
  const t = { name: "public.t", table: "public.t" };
  check([
    ["ALTER TABLE ONLY public.t ADD CONSTRAINT c PRIMARY KEY (id)", "other", "TABLE public.t", t],
    [
      "ALTER TABLE ONLY public.t ADD CONSTRAINT c CHECK ((a <> ' DROP ')) NOT VALID",
      "other",
      "TABLE public.t",
      t,
    ],
    ["ALTER TABLE public.t DROP COLUMN a, ADD COLUMN b integer", "other", "TABLE public.t", t],
    ["ALTER TABLE public.t ALTER COLUMN a SET DEFAULT ' DROP '", "other", "TABLE public.t", t],
    [
      "ALTER TABLE public.t ALTER COLUMN a ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME s)",
      "other",
      "TABLE public.t",
      t,
    ],
    ["ALTER TABLE ONLY public.t ATTACH PARTITION public.p DEFAULT", "other", "TABLE public.t", t],
    ["ALTER TABLE public.t CLUSTER ON i", "other", "TABLE public.t", t],
    ["ALTER TABLE public.t DISABLE TRIGGER g", "other", "TABLE public.t", t],
    ["ALTER TABLE public.t ENABLE ROW LEVEL SECURITY", "other", "TABLE public.t", t],
    [
      'ALTER TABLE public."a DROP b" ENABLE TRIGGER g',
      "other",
      'TABLE public."a DROP b"',
      { name: "public.a DROP b", table: "public.a DROP b" },
    ],
    [
      "ALTER SEQUENCE public.s OWNED BY public.t.id",
      "other",
      "SEQUENCE public.s",
      { name: "public.s" },
    ],
    [
      "ALTER INDEX public.i ATTACH PARTITION public.j",
      "other",
      "INDEX public.i",
      { name: "public.i" },
    ],
    [
      "ALTER PUBLICATION p ADD TABLE ONLY public.t WHERE (a)",
      "other",
      "PUBLICATION p",
      { name: "p", table: "public.t" },
    ],
    ["ALTER TYPE public.e ADD VALUE 'DROP'", "other", "TYPE public.e", { name: "public.e" }],
  ]);
});

describe("owners", () => {
  const bob = (name?: string, table?: string) => ({
    ...(name === undefined ? {} : { name }),
    ...(table === undefined ? {} : { table }),
    roles: ["bob"],
  });
  check([
    [
      "ALTER TABLE public.t OWNER TO bob",
      "set owner",
      "TABLE public.t",
      bob("public.t", "public.t"),
    ],
    [
      'ALTER TABLE public.t OWNER TO "Bob, the ""b"""',
      "set owner",
      "TABLE public.t",
      { name: "public.t", table: "public.t", roles: ['Bob, the "b"'] },
    ],
    ["ALTER VIEW public.v OWNER TO bob", "set owner", "VIEW public.v", bob("public.v")],
    ["ALTER SEQUENCE public.s OWNER TO bob", "set owner", "SEQUENCE public.s", bob("public.s")],
    ["ALTER SCHEMA audit OWNER TO bob", "set owner", "SCHEMA audit", bob("audit")],
    [
      'ALTER FUNCTION public.f(a integer, b "x OWNER TO y") OWNER TO bob',
      "set owner",
      "FUNCTION public.f",
      bob("public.f"),
    ],
    [
      "ALTER AGGREGATE public.a(*) OWNER TO bob",
      "set owner",
      "AGGREGATE public.a",
      bob("public.a"),
    ],
    [
      "ALTER OPERATOR public.=== (t, NONE) OWNER TO bob",
      "set owner",
      "OPERATOR public.===",
      bob("public.==="),
    ],
    [
      "ALTER OPERATOR CLASS public.o USING btree OWNER TO bob",
      "set owner",
      "OPERATOR CLASS public.o",
      bob("public.o"),
    ],
    [
      "ALTER PROCEDURAL LANGUAGE plperl OWNER TO bob",
      "set owner",
      "LANGUAGE plperl",
      bob("plperl"),
    ],
    [
      "ALTER TEXT SEARCH DICTIONARY public.d OWNER TO bob",
      "set owner",
      "TEXT SEARCH DICTIONARY public.d",
      bob("public.d"),
    ],
    ["ALTER FOREIGN DATA WRAPPER w OWNER TO bob", "set owner", "FOREIGN DATA WRAPPER w", bob("w")],
    [
      "ALTER LARGE OBJECT 16411 OWNER TO bob",
      "set owner",
      "LARGE OBJECT 16411",
      { roles: ["bob"] },
    ],
    ["ALTER EVENT TRIGGER e OWNER TO bob", "set owner", "EVENT TRIGGER e", bob("e")],
    ["ALTER DATABASE d OWNER TO bob", "set owner", "DATABASE d", bob("d")],
    ["SET SESSION AUTHORIZATION 'bob'", "set owner", undefined, { roles: ["bob"] }],
    ["SET SESSION AUTHORIZATION 'O''Brien'", "set owner", undefined, { roles: ["O'Brien"] }],
    ["SET SESSION AUTHORIZATION bob", "set owner", undefined, { roles: ["bob"] }],
    ["SET SESSION AUTHORIZATION DEFAULT", "set owner"],
    ["RESET SESSION AUTHORIZATION", "set owner"],
  ]);
});

describe("grants", () => {
  check([
    ["GRANT ALL ON TABLE public.t TO alice", "grant", "TABLE public.t", { roles: ["alice"] }],
    [
      "GRANT SELECT,INSERT(a,b) ON TABLE public.t TO alice WITH GRANT OPTION",
      "grant",
      "TABLE public.t",
      { roles: ["alice"] },
    ],
    [
      'GRANT SELECT("TO x") ON TABLE public.t TO alice',
      "grant",
      "TABLE public.t",
      { roles: ["alice"] },
    ],
    ["REVOKE ALL ON SCHEMA public FROM PUBLIC", "grant", "SCHEMA public"],
    [
      'REVOKE GRANT OPTION FOR ALL ON TABLE t FROM alice, "B" CASCADE',
      "grant",
      "TABLE t",
      { roles: ["alice", "B"] },
    ],
    [
      "GRANT ALL ON FUNCTION public.f(a text, b text) TO GROUP alice",
      "grant",
      "FUNCTION public.f(a text, b text)",
      { roles: ["alice"] },
    ],
    [
      "GRANT USAGE ON FOREIGN SERVER s TO alice GRANTED BY carol",
      "grant",
      "FOREIGN SERVER s",
      { roles: ["alice", "carol"] },
    ],
    ["GRANT SELECT ON LARGE OBJECT 1 TO alice", "grant", "LARGE OBJECT 1", { roles: ["alice"] }],
    [
      'GRANT SELECT ON TABLE public."from a to b" TO alice',
      "grant",
      'TABLE public."from a to b"',
      { roles: ["alice"] },
    ],
    [
      'GRANT writers, "Readers" TO alice WITH ADMIN OPTION GRANTED BY postgres',
      "grant",
      undefined,
      { roles: ["writers", "Readers", "alice", "postgres"] },
    ],
    ["REVOKE writers FROM alice", "grant", undefined, { roles: ["writers", "alice"] }],
    [
      "ALTER DEFAULT PRIVILEGES FOR ROLE bob IN SCHEMA public GRANT SELECT ON TABLES TO alice",
      "grant",
      "DEFAULT PRIVILEGES",
      { roles: ["bob", "alice"] },
    ],
    [
      "ALTER DEFAULT PRIVILEGES FOR ROLE bob REVOKE ALL ON FUNCTIONS FROM PUBLIC",
      "grant",
      "DEFAULT PRIVILEGES",
      { roles: ["bob"] },
    ],
  ]);
});

describe("the rest", () => {
  check([
    [
      "COMMENT ON TABLE public.t IS 'ALTER TABLE x OWNER TO y'",
      "comment",
      "TABLE public.t",
      { name: "public.t" },
    ],
    ["COMMENT ON EXTENSION pg_trgm IS 'x'", "comment", "EXTENSION pg_trgm", { name: "pg_trgm" }],
    [
      "COMMENT ON COLUMN public.t.a IS 'x'",
      "comment",
      "COLUMN public.t.a",
      { name: "public.t.a", table: "public.t" },
    ],
    [
      "COMMENT ON TRIGGER g ON public.t IS 'x'",
      "comment",
      "TRIGGER g",
      { name: "g", table: "public.t" },
    ],
    [
      "COMMENT ON CONSTRAINT c ON DOMAIN public.d IS 'x'",
      "comment",
      "CONSTRAINT c",
      { name: "c", table: "public.d" },
    ],
    [
      "COMMENT ON FUNCTION public.f(integer) IS 'x'",
      "comment",
      "FUNCTION public.f",
      { name: "public.f" },
    ],
    ["COMMENT ON DATABASE d IS 'x'", "comment", "DATABASE d", { name: "d" }],
    ["SET statement_timeout = 0", "set"],
    ["RESET ALL", "set"],
    ["SELECT pg_catalog.set_config('search_path', '', false)", "set"],
    ["SELECT pg_catalog.setval('public.s', 1, true)", "other"],
    ["SELECT * FROM pg_catalog.pg_restore_relation_stats('version', '180000')", "other"],
    [
      "REFRESH MATERIALIZED VIEW public.m",
      "other",
      "MATERIALIZED VIEW public.m",
      { name: "public.m" },
    ],
    ["CREATE DATABASE d WITH TEMPLATE = template0", "change database", "DATABASE d", { name: "d" }],
    ["DROP DATABASE IF EXISTS d", "change database", "DATABASE d", { name: "d" }],
    ["ALTER DATABASE d SET work_mem = '1GB'", "change database", "DATABASE d", { name: "d" }],
    ["BEGIN", "other"],
    ["", "other"],
    ["'", "other"],
    ["-- a\n-- b\nDROP TABLE t", "drop", "TABLE t", { name: "t" }],
    ["/* a */ DROP /* b */ TABLE -- c\n t", "drop", "TABLE t", { name: "t" }],
    ["drop table T", "drop", "TABLE T", { name: "t" }],
  ]);
});

describe("a statement that was cut", () => {
  const body = "x".repeat(9000);
  check([
    [
      `CREATE FUNCTION public.f() RETURNS void AS $$ ${body}`,
      "create",
      "FUNCTION public.f",
      { name: "public.f" },
    ],
    [
      `INSERT INTO public.t VALUES ('${body}`,
      "insert",
      "TABLE public.t",
      { name: "public.t", table: "public.t" },
    ],
    [`COMMENT ON TABLE public.t IS E'${body}\\`, "comment", "TABLE public.t", { name: "public.t" }],
  ]);
});

describe("the excerpt", () => {
  test("is one line without the comments before the statement", () => {
    expect(describeStatement("-- x\nCREATE TABLE t (\n  a integer\n)").excerpt).toBe(
      "CREATE TABLE t ( a integer )",
    );
  });

  test.each([
    [
      `CREATE USER MAPPING FOR a SERVER b OPTIONS (\n    password 'x'\n)`,
      "CREATE USER MAPPING FOR a SERVER b OPTIONS …",
    ],
    ["ALTER ROLE a WITH LOGIN PASSWORD 'SCRAM-SHA-256$x'", "ALTER ROLE a WITH LOGIN PASSWORD …"],
    ["ALTER SERVER b OPTIONS (SET password 'x')", "ALTER SERVER b OPTIONS …"],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'password=x' PUBLICATION p",
      "CREATE SUBSCRIPTION s CONNECTION …",
    ],
    ["CREATE TABLE options (connection text)", "CREATE TABLE options (connection text)"],
  ])("tells no password of another server: %s", (statement, excerpt) => {
    expect(describeStatement(statement).excerpt).toBe(excerpt);
  });

  test("is cut after 160 characters", () => {
    const { excerpt } = describeStatement(`SELECT ${"a".repeat(500)}`);
    expect(excerpt).toBe(`SELECT ${"a".repeat(150)}...`);
  });
});

test("any name survives quoting", () => {
  const anyName = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(
    fc.property(anyName, anyName, anyName, (schema, table, role) => {
      const object = `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
      const name = `${schema}.${table}`;
      expect(describeStatement(`COPY ${object} (a) FROM stdin`)).toMatchObject({
        name,
        table: name,
      });
      expect(
        describeStatement(`ALTER TABLE ${object} OWNER TO ${quoteIdentifier(role)}`),
      ).toMatchObject({ action: "set owner", name, roles: [role] });
      expect(
        describeStatement(`GRANT SELECT ON TABLE ${object} TO ${quoteIdentifier(role)}, PUBLIC`),
      ).toMatchObject({ action: "grant", object: expect.any(String) as string, roles: [role] });
    }),
  );
});
