import { expect, test } from "vitest";
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
