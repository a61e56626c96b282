import { describe, expect, test } from "vitest";
import { DumpMarkFinder, dumpMark, marksWithin } from "../../../../model/dump/dump-marks";
import { DumpParts } from "../../../../model/dump/dump-parts";
import { SqlReader } from "../../../../model/dump/sql-reader";
import { describeStatement } from "../../../../model/dump/statement";

const head = "--\n-- PostgreSQL database dump\n--\n\nSET row_security = off;\n";
const foot = "\n--\n-- PostgreSQL database dump complete\n--\n\n";
const tables = "CREATE TABLE public.a (id integer);\n";
const rows = "COPY public.a (id) FROM stdin;\n1\n\\.\n";
const rest = "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT a_pkey PRIMARY KEY (id);\n";

/** Reads a dump as the import does, without its objects' comments. */
function partsOf(text: string): DumpParts {
  const parts = new DumpParts();
  const reader = new SqlReader();
  const finder = new DumpMarkFinder();
  for (const token of [...reader.push(Buffer.from(text)), ...reader.finish()]) {
    if (token.type === "comment") {
      const mark = dumpMark(token.text);
      if (mark) parts.mark(mark, token.line);
      const type = /^-- (?:Data for )?Name: .*; Type: ([^;]+);/.exec(token.text)?.[1];
      if (type !== undefined) parts.entry(type, token.line);
    } else if (token.type === "statement") {
      const sql = token.bytes.toString();
      for (const mark of marksWithin(sql)) parts.mark(mark, token.line);
      parts.statement(describeStatement(sql), token.line);
    } else if (token.type === "rows") {
      for (const mark of finder.push(token.bytes)) parts.mark(mark, 0);
    }
  }
  return parts;
}

const problem = (text: string): string | undefined => partsOf(text).problem("x.sql");

describe("a file is whole", () => {
  test.each([
    ["with one dump", head + tables + rows + rest + foot],
    [
      "with the schema and the rows in a dump each",
      head + tables + rest + foot + head + rows + foot,
    ],
    ["with each section in a dump", head + tables + foot + head + rows + foot + head + rest + foot],
    ["with two databases", head + tables + rows + foot + head + tables + rows + foot],
    ["with statements before the dump", `SET ROLE a;\n${head}${tables}${foot}`],
    ["with statements behind its closing line", `${head}${tables}${foot}${rows}`],
    ["without its first lines", `SET row_security = off;\n${tables}${foot}`],
    [
      "with a dump as the text of its rows",
      `${head}COPY public.a FROM stdin;\n${head}${foot}\\.\n${foot}`,
    ],
    ["with a dump in a string", `${head}COMMENT ON TABLE public.a IS '${head}';\n${foot}`],
    ["with no more than tables", head + tables + foot],
  ])("%s", (_, text) => {
    expect(problem(text)).toBeUndefined();
  });
});

describe("a file is cut", () => {
  const one = /^x\.sql is truncated: the closing line ".*" is missing; dump or copy it again$/;
  const two = /^x\.sql is truncated: 2 dumps begin in it \(lines 2, \d+\), and not each of them/;

  test.each([
    ["in its only dump", head + tables, one],
    ["in its second dump", head + tables + rest + foot + head + rows, two],
    ["in its first dump", head + tables + head + rows + foot, two],
    [
      "in the first dump's rows",
      `${head}${tables}COPY public.a FROM stdin;\n1\n${head}${rows}${foot}`,
      /2 dumps begin/,
    ],
    [
      "in a statement of the first dump",
      `${head}CREATE FUNCTION f() LANGUAGE sql AS ''\n${head}${foot}`,
      /2 dumps begin/,
    ],
    [
      "in a second dump without its first lines",
      `${head}${tables}${foot}-- Name: a; Type: TABLE; Schema: public; Owner: -\n${tables}`,
      two,
    ],
    [
      "or its comments were removed",
      tables + rows,
      /^x\.sql has neither the first nor the closing line of pg_dump/,
    ],
  ])("%s", (_, text, expected) => {
    expect(problem(text)).toMatch(expected);
  });

  test("wherever a chunk of the rows ends", () => {
    const text = `1\n--\n-- PostgreSQL database dump\n--\n`;
    for (let at = 0; at <= text.length; at++) {
      const finder = new DumpMarkFinder();
      const chunks = [text.slice(0, at), text.slice(at)].map((chunk) => Buffer.from(chunk));
      expect(chunks.flatMap((chunk) => finder.push(chunk))).toEqual(["begin"]);
    }
  });
});

test("tables and rows without what comes after them lack a section", () => {
  expect(problem(head + tables + foot + head + rows + foot)).toBe(
    "x.sql has the tables in one dump and their rows in another, but nothing that comes after the rows: keys, indexes, triggers; append pg_dump --section=post-data, or dump the database in one",
  );
});

test("what a dump consists of", () => {
  const contents = (text: string): unknown => partsOf(text).contents;
  expect(contents(head + tables + foot)).toEqual({ tables: 1, hasRows: false, hasRest: false });
  expect(contents(head + tables + rest + foot + rows)).toMatchObject({
    hasRows: false,
    hasRest: true,
  });
  const empty = "-- Data for Name: a; Type: TABLE DATA; Schema: public; Owner: -\n";
  expect(contents(head + tables + empty + foot)).toMatchObject({ hasRows: true });
});
