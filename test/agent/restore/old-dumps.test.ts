import { describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { useLiveDatabase } from "../../support/databases/live-database";

const server = useServer();
const former = useLiveDatabase(server);

const tables = 400;
const functions = 200;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const each = (count: number, make: (n: number) => string): string =>
  range(count).map(make).join("\n");

/** A dump as pg_dump 8.4 to 9.6 wrote it with `-c -O`: names without schema, a long DROP part, views in circles. */
function oldDump(extra = ""): Buffer {
  return Buffer.from(`--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = off;
SET check_function_bodies = false;
SET client_min_messages = warning;
SET escape_string_warning = off;

SET search_path = public, pg_catalog;

${each(tables, (n) => `ALTER TABLE ONLY public.im_table_${n} DROP CONSTRAINT im_table_${n}_fk;\nDROP TRIGGER im_table_${n}_tr ON public.im_table_${n};\nDROP INDEX public.im_table_${n}_idx;`)}
CREATE OR REPLACE VIEW public.im_circle AS
SELECT NULL::integer AS id;
${each(tables, (n) => `ALTER TABLE public.im_table_${n} ALTER COLUMN id DROP DEFAULT;\nDROP SEQUENCE public.im_seq_${n};\nDROP TABLE public.im_table_${n};`)}
DROP VIEW public.im_circle;
DROP OPERATOR public.@@@ (integer, integer);
DROP AGGREGATE public.im_join(text);
DROP CAST (public.im_kind AS text);
${each(functions, (n) => `DROP FUNCTION public.im_function_${n}(integer, character varying);`)}
DROP TYPE public.im_kind;
DROP PROCEDURAL LANGUAGE plpgsql;
DROP SCHEMA public;
--
-- Name: public; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA public;


--
-- Name: SCHEMA public; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA public IS 'standard public schema';


--
-- Name: plpgsql; Type: PROCEDURAL LANGUAGE; Schema: -; Owner: -
--

CREATE PROCEDURAL LANGUAGE plpgsql;
COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';


SET search_path = public, pg_catalog;

--
-- Name: im_kind; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE im_kind AS ENUM ('a', 'b');

${each(
  functions,
  (n) => `--
-- Name: im_function_${n}(integer, character varying); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION im_function_${n}(integer, character varying) RETURNS integer
    AS $_$
declare
	p_id alias for $1;	v_text varchar := 'it''s; \\\\ "quoted"';
begin
	-- a comment; with 'quote
	execute $q$ create temp table t_${n} as select ${n} as n; $q$;
	return (select count(*) from im_table_${n} where id = p_id);
end;$_$
    LANGUAGE plpgsql;
`,
)}
CREATE FUNCTION im_old(integer) RETURNS text
    AS 'begin
	return ''it''''s '' || $1 || E''\\\\n;'';
end;'
    LANGUAGE plpgsql;

CREATE FUNCTION im_atomic(n integer) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC
 SELECT CASE WHEN (n > 1) THEN 1 ELSE 2 END;
 SELECT n;
END;

SET default_tablespace = '';

SET default_with_oids = false;

${each(
  tables,
  (n) => `--
-- Name: im_table_${n}; Type: TABLE; Schema: public; Owner: -; Tablespace:
--

CREATE TABLE im_table_${n} (
    id integer NOT NULL,
    name character varying(100) DEFAULT ''::character varying,
    CONSTRAINT im_table_${n}_ck CHECK (((id > 0) AND ((name)::text <> ';'::text)))
);

CREATE SEQUENCE im_seq_${n} START WITH 1;
`,
)}
CREATE VIEW im_circle AS
SELECT NULL::integer AS id;
CREATE VIEW im_other AS SELECT im_circle.id FROM im_circle;
${extra}
${each(
  tables,
  (n) => `--
-- Data for Name: im_table_${n}; Type: TABLE DATA; Schema: public; Owner: -
--

COPY im_table_${n} (id, name) FROM stdin;
${each(n % 4, (row) => `${row}\tname; ${row}\\n'`)}${n % 4 === 0 ? "" : "\n"}\\.

`,
)}
CREATE OR REPLACE VIEW im_circle AS
SELECT im_table_1.id FROM im_table_1;

${each(tables, (n) => `CREATE INDEX im_table_${n}_idx ON im_table_${n} USING btree (name);`)}

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM postgres;
GRANT ALL ON SCHEMA public TO postgres;
GRANT ALL ON SCHEMA public TO PUBLIC;

--
-- PostgreSQL database dump complete
--

`);
}

describe("a dump of an old PostgreSQL, with thousands of errors in its DROP part", () => {
  test("passes with notes, and all is there", async () => {
    const { result, stdout } = await server.restore({
      database: "old",
      dump: oldDump(),
      name: "old.sql",
    });
    expect(result.result, result.text).toBe("restored");
    expect(result.verdict).toMatchObject({ outcome: "passed with notes", causes: [] });
    expect(result.verdict?.messages.prelude).toBeGreaterThan(2400);
    expect(result.text).toMatch(
      /old\.sql +passed with notes: 2,\d{3} messages in the prelude, all harmless/,
    );
    const facts = `SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      UNION ALL SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT count(*) FROM im_table_7 UNION ALL SELECT count(*) FROM im_other UNION ALL SELECT length(im_old(5))`;
    expect(await server.sql("old", facts)).toBe(`${tables}\n${functions + 2}\n3\n1\n8`);
    // The command plugin cannot read a longer line.
    expect(Buffer.byteLength(stdout)).toBeLessThan(64 * 1024);
  });

  test("fails with the one real error that hides among them", async () => {
    const dump = oldDump(
      "CREATE TABLE im_lost (id integer, at timestamptz DEFAULT nosuchfunction());\n",
    );
    const text = /cause {5}42883 {2}function nosuchfunction\(\) does not exist {3}TABLE im_lost/;
    const { result } = await former.expectRefused(dump, "old.sql", text);
    expect(result.verdict?.causes).toHaveLength(1);
    expect(result.verdict?.messages.prelude).toBeGreaterThan(2400);
  });

  test("fails with one real error inside the DROP part", async () => {
    const dump = oldDump()
      .toString()
      .replace("DROP VIEW public.im_circle;", "DROP VIEW public.im_circle;\nDROP TABBLE public.x;");
    await former.expectRefused(
      Buffer.from(dump),
      "old.sql",
      /42601 {2}syntax error at or near "TABBLE"/,
    );
  });
});
