import { expect, test } from "vitest";
import { archiveSections } from "../../../../model/dump/archive-sections";
import {
  ArchiveScriptReader,
  grantScript,
  readDatabaseOptions,
} from "../../../../model/dump/archive";

test("the script of an archive tells database, tables, owners and grantees", () => {
  const script = new ArchiveScriptReader();
  script.push(
    Buffer.from(`CREATE DATABASE src WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C.UTF-8';
ALTER DATABASE src OWNER TO dba;
\\connect src
CREATE TABLE public."Time Off" (a text DEFAULT 'PARTITION BY x');
ALTER TABLE public."Time Off" OWNER TO bob;
CREATE TABLE public.hours (day date) PARTITION BY RANGE (day);
CREATE TABLE public.hours_1 PARTITION OF public.hours FOR VALUES FROM ('a') TO ('b') PARTITION BY LIST (day);
CREATE VIEW public.v AS SELECT 1;
ALTER VIEW public.v OWNER TO bob;
GRANT SELECT ON TABLE public.hours TO alice, PUBLIC;
GRANT CONNECT ON DATABASE src TO alice;
CREATE POLICY p ON public.hours TO carol;
`),
  );
  const facts = script.finish();
  expect(grantScript(facts, { owners: false }).toString()).toBe(
    "SET client_encoding = 'UTF8';\nGRANT SELECT ON TABLE public.hours TO alice, PUBLIC;\n-- PostgreSQL database dump complete\n",
  );
  expect(facts).toEqual({
    database: { encoding: "UTF8", options: ["LOCALE_PROVIDER = libc", "LOCALE = 'C.UTF-8'"] },
    encoding: "UTF8",
    tables: ["public.Time Off"],
    owners: new Map([["bob", 2]]),
    grantees: new Set(["alice", "carol"]),
    grants: [Buffer.from("GRANT SELECT ON TABLE public.hours TO alice, PUBLIC")],
    ownerChanges: [
      Buffer.from('ALTER TABLE public."Time Off" OWNER TO bob'),
      Buffer.from("ALTER VIEW public.v OWNER TO bob"),
    ],
  });
});

test("the options of a database are read, its name is not", () => {
  expect(
    readDatabaseOptions(
      "CREATE DATABASE x WITH TEMPLATE = template0 ENCODING = 'LATIN1' LC_COLLATE = 'C' LC_CTYPE = 'C'",
    ),
  ).toEqual({ encoding: "LATIN1", options: ["LC_COLLATE = 'C'", "LC_CTYPE = 'C'"] });
  expect(
    readDatabaseOptions(
      `CREATE DATABASE " LOCALE = 'x'" WITH TEMPLATE = template0 ENCODING = 'UTF8'`,
    ),
  ).toEqual({ encoding: "UTF8", options: [] });
});

test("names without schema are in the first schema of the search path, as pg_dump 10.2, 9.6.7 and older wrote them", () => {
  const script = new ArchiveScriptReader();
  script.push(
    Buffer.from(`SET search_path = app, pg_catalog;
CREATE TABLE t (a int);
CREATE TABLE "b.c" (a int);
CREATE TABLE other.t (a int);
ALTER TABLE t OWNER TO bob;
SET search_path = "My app", pg_catalog;
CREATE TABLE t (a int);
GRANT SELECT ON TABLE t TO alice;
`),
  );
  const facts = script.finish();
  expect(facts.tables).toEqual(["app.t", "app.b.c", "other.t", "My app.t"]);
  expect(grantScript(facts, { owners: true }).toString()).toBe(
    `SET client_encoding = 'UTF8';
SET search_path = "My app", pg_catalog;
GRANT SELECT ON TABLE t TO alice;
SET search_path = app, pg_catalog;
ALTER TABLE t OWNER TO bob;
-- PostgreSQL database dump complete
`,
  );
});

test("the sections of an archive are told by its list", () => {
  const list = (...entries: readonly string[]): string =>
    entries.map((entry, i) => `${i + 1}; 1259 16385 ${entry} bob\n`).join("");
  const all = ["TABLE public a", "TABLE DATA public a", "CONSTRAINT public a_pkey"];
  expect(archiveSections(list(...all))).toEqual({
    isDataOnly: false,
    hasRows: true,
    hasRest: true,
  });
  expect(archiveSections(list("TABLE public a"))).toMatchObject({ hasRows: false, hasRest: false });
  const data = ["TABLE DATA public a", "SEQUENCE SET public s", "BLOBS - BLOBS"];
  expect(archiveSections(`;\n; Format: CUSTOM\n;\n${list(...data)}`)).toMatchObject({
    isDataOnly: true,
  });
  // The rows of an extension's table.
  expect(archiveSections(list("EXTENSION - postgis", ...data))).toMatchObject({
    isDataOnly: false,
  });
});
