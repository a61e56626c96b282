import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SqlReader, type SqlToken } from "../../../../model/dump/sql-reader";
import { describeStatement } from "../../../../model/dump/statement";
import { checkout } from "../../../support/files/checkout";

/** A token with its bytes as text, so that a difference can be read. */
type Plain = Readonly<Record<string, unknown>> & { readonly type: SqlToken["type"] };

function plain(token: SqlToken): Plain {
  return "bytes" in token ? { ...token, bytes: token.bytes.toString("latin1") } : token;
}

/** Reads chunks; adjacent rows are joined, because how they are cut means nothing. */
function readChunks(chunks: readonly Buffer[]): readonly Plain[] {
  const reader = new SqlReader();
  const tokens: Plain[] = [];
  const take = (token: SqlToken): void => {
    const last = tokens.at(-1);
    if (token.type === "rows" && last?.type === "rows") {
      const joined = String(last.bytes) + token.bytes.toString("latin1");
      tokens[tokens.length - 1] = { type: "rows", bytes: joined };
    } else tokens.push(plain(token));
  };
  for (const chunk of chunks) for (const token of reader.push(chunk)) take(token);
  for (const token of reader.finish()) take(token);
  return tokens;
}

const read = (text: string): readonly Plain[] => readChunks([Buffer.from(text, "latin1")]);

/** The statements of a text alone. */
function statements(text: string): readonly unknown[] {
  return read(text).map((token) => (token.type === "statement" ? token.bytes : token));
}

describe("statements", () => {
  test("carry the lines they begin and end on", () => {
    expect(read("SET a = 1;\n\n\nCREATE TABLE t (\n  a integer\n);\n")).toEqual([
      { type: "statement", bytes: "SET a = 1", line: 1, endLine: 1 },
      { type: "statement", bytes: "CREATE TABLE t (\n  a integer\n)", line: 4, endLine: 6 },
    ]);
  });

  test("of one line are told apart, empty ones are none", () => {
    expect(statements("SELECT 1; SELECT 2;;\n ; SELECT 3\n;")).toEqual([
      "SELECT 1",
      "SELECT 2",
      "SELECT 3\n",
    ]);
  });

  test("need no line break at the end of the file", () => {
    expect(statements("SELECT 1;")).toEqual(["SELECT 1"]);
  });

  test.each<readonly [string, number | undefined]>([
    ["INSERT INTO public.t VALUES (1, 'a), (', f(2))", 1],
    ["INSERT INTO public.t (id, \"values (\") VALUES (1),\n\t(2, E'\\'(')", 2],
    ["insert into only t as x overriding system value values ((1)), ($$($$) /* ( */", 2],
    ["INSERT INTO t DEFAULT VALUES", 1],
    ["INSERT INTO t VALUES (1), (2) RETURNING (id), (n)", 2],
    ["INSERT INTO t VALUES (1) ON CONFLICT (id) DO NOTHING", undefined],
    ["INSERT INTO t SELECT a FROM (VALUES (1), (2)) v (a)", undefined],
    ["INSERT INTO t (SELECT 1)", undefined],
    ["UPDATE t SET a = (1)", undefined],
  ])("of INSERT tell their rows: %s", (sql, insertedRows) => {
    expect(read(`${sql};\n`)).toMatchObject([{ type: "statement", insertedRows }]);
  });

  test.each([
    ["a string", "SELECT 'a;b'"],
    ["a doubled quote", "SELECT 'it''s; so'"],
    ["a backslash, which means nothing", String.raw`SELECT 'C:\', ';'`],
    ["an escape string", String.raw`SELECT E'it\'s; so'`],
    ["a lower-case escape string", String.raw`SELECT e'\\', ';'`],
    ["a name that ends in e before a string", String.raw`SELECT date'\', ';'`],
    ["a string over several lines", "SELECT 'a;\nb;\n'"],
    ["an escaped line break", "SELECT E'a\\\nb;\\''"],
    ["an escape string that goes on in the next line", "SELECT E'a'\n  'it\\'s; so'"],
    ["a string that goes on behind a comment", "SELECT E'a' -- b\n 'it\\'s; so'"],
    ["two strings of one line", String.raw`SELECT E'a', 'b\'`],
    ["an alias behind an escape string", String.raw`SELECT E'a' AS x, 'b\'`],
    ["a Unicode string", String.raw`SELECT U&'\0041;\'`],
    ["a bit string", "SELECT B'1', X'1f', ';'"],
    ["a quoted name", 'SELECT "a;b"'],
    ["a doubled quote in a name", 'SELECT "a"";b"'],
    ["a single quote in a name", `SELECT "it's;"`],
    ["a dollar string", "SELECT $$a;b$$"],
    ["a dollar string with a tag", "SELECT $body$a; $$ $other$; $body$"],
    ["a tag with other letters", "SELECT $über_1$;$über_1$"],
    ["a tag that begins with a part of itself", "SELECT $a$ ;$$a$"],
    ["another tag that shares a dollar sign", "SELECT $a$ ;$b$a$"],
    ["a dollar sign in a name", "SELECT a$b$c, ';', d$$ FROM t"],
    ["parameters", "PREPARE p AS SELECT $1, ';', $2"],
    ["a line comment", "SELECT 1 -- a; 'b\n+ 1"],
    ["a line comment behind an operator", "SELECT 1+--;'\n1"],
    ["a block comment", "SELECT /* a; 'b */ 1"],
    ["nested block comments", "SELECT /* a /* ;' */ ;' */ 1"],
    ["a block comment with many stars", "SELECT /***;' /**/ ;**/ 1"],
    ["a slash before a star", "SELECT 1 */*;'*/ 2"],
    ["minus and divided by", "SELECT 1 - 2 / 3 - -4"],
    ["comment signs in a string", "SELECT '--', '/*', ';'"],
    ["parentheses", "CREATE RULE r AS ON DELETE TO t DO INSTEAD (DELETE FROM a; DELETE FROM b;)"],
    ["too many closing parentheses", "SELECT 1))"],
    ["parentheses in strings", "SELECT '(', ')', \"(\", $$($$"],
  ])("are not ended within %s", (_, statement) => {
    expect(statements(`${statement};\nSELECT 'next';\n`)).toEqual([statement, "SELECT 'next'"]);
  });

  test("take backslashes in plain strings as standard_conforming_strings says", () => {
    const off = "SET standard_conforming_strings = off";
    const on = "SET standard_conforming_strings TO 'on'";
    expect(
      statements(`${off};\nSELECT 'it\\'s; so';\nSELECT 'a\\\\';\n${on};\nSELECT 'C:\\';`),
    ).toEqual([off, "SELECT 'it\\'s; so'", "SELECT 'a\\\\'", on, "SELECT 'C:\\'"]);
  });

  test.each([
    ["SJIS", "955c"],
    ["SJIS", "b1955c"],
    ["BIG5", "a65c"],
    ["GBK", "815c"],
  ])("take a second byte for no backslash: %s %s", (encoding, letters) => {
    const set = `SET client_encoding = '${encoding}'`;
    const text = `E'\\'${Buffer.from(letters, "hex").toString("latin1")}'`;
    const dump = Buffer.from(`${set};\nSELECT ${text};\nSELECT 'next; x';\n`, "latin1");
    const reader = new SqlReader();
    const found = [...reader.push(dump), ...reader.finish()].map((token) =>
      token.type === "statement" ? token.bytes.toString("latin1") : token.type,
    );
    expect(found).toEqual([set, `SELECT ${text}`, "SELECT 'next; x'"]);
  });

  test.each([
    "CREATE FUNCTION f() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "CREATE OR REPLACE FUNCTION f() RETURNS integer\nBEGIN ATOMIC\n SELECT CASE WHEN true THEN 1 ELSE CASE 1 WHEN 1 THEN 2 END END;\n SELECT 2;\nEND",
    "CREATE PROCEDURE p()\nBEGIN ATOMIC\n DELETE FROM a; INSERT INTO b VALUES ((CASE WHEN true THEN 1 END));\nEND",
    "CREATE FUNCTION f() RETURNS timestamptz\nBEGIN ATOMIC\n SELECT t.begin FROM t; SELECT t.begin FROM t;\nEND",
    'CREATE FUNCTION f() RETURNS integer\nBEGIN ATOMIC\n SELECT "end" AS "case", \'end\' FROM t; SELECT 1;\nEND',
    "CREATE FUNCTION f(case_ integer DEFAULT (CASE WHEN true THEN 1 END)) RETURNS integer\nBEGIN ATOMIC SELECT 1; END",
  ])("hold the body of a routine: %s", (statement) => {
    expect(statements(`${statement};\nSELECT 1;\n`)).toEqual([statement, "SELECT 1"]);
  });

  test("that are no routine know no body", () => {
    expect(statements("BEGIN; SELECT 1; END;\nCREATE TABLE begin (atomic text); END;")).toEqual([
      "BEGIN",
      "SELECT 1",
      "END",
      "CREATE TABLE begin (atomic text)",
      "END",
    ]);
  });

  test("may be empty of meaning: an unknown byte does not stop the reading", () => {
    expect(statements("\x01\x02@#;\nSELECT 1;\n")).toEqual(["@#", "SELECT 1"]);
  });
});

describe("between statements", () => {
  test("line comments are told, block comments are skipped", () => {
    expect(read("-- a; b'\n  -- c\n/* d; ' /* -- e */\n*/ SELECT 1; -- f\n/**/\n--")).toEqual([
      { type: "comment", text: "-- a; b'", line: 1 },
      { type: "comment", text: "-- c", line: 2 },
      { type: "statement", bytes: "SELECT 1", line: 4, endLine: 4 },
      { type: "comment", text: "-- f", line: 4 },
      { type: "comment", text: "--", line: 6 },
    ]);
  });

  test("a carriage return ends a comment, as for psql: nothing can hide behind it", () => {
    expect(read("-- Name: a\rDROP TABLE b;\r\n")).toEqual([
      { type: "comment", text: "-- Name: a", line: 1 },
      { type: "statement", bytes: "DROP TABLE b", line: 1, endLine: 1 },
    ]);
  });

  test("commands to psql are told and never run", () => {
    expect(read("\\restrict aB3\nSELECT 1;\n\\connect other\r\n\\! rm; --")).toEqual([
      { type: "meta", text: "\\restrict aB3", line: 1 },
      { type: "statement", bytes: "SELECT 1", line: 2, endLine: 2 },
      { type: "meta", text: "\\connect other", line: 3 },
      { type: "meta", text: "\\! rm; --", line: 4 },
    ]);
  });

  test("a byte order mark at the head is skipped", () => {
    expect(readChunks([Buffer.from("\ufeff--\nSELECT 'ä';")])).toEqual([
      { type: "comment", text: "--", line: 1 },
      { type: "statement", bytes: "SELECT 'Ã¤'", line: 2, endLine: 2 },
    ]);
  });
});

describe("rows", () => {
  const copy = "COPY public.t (a, b) FROM stdin";

  test("stand between COPY and its closing line", () => {
    expect(read(`${copy};\n1\ta;b'\n2\t-- c\n\\.\n\nSELECT 1;\n`)).toEqual([
      { type: "statement", bytes: copy, line: 1, endLine: 1 },
      { type: "rows", bytes: "1\ta;b'\n2\t-- c\n" },
      { type: "end of rows", rows: 2, line: 4 },
      { type: "statement", bytes: "SELECT 1", line: 6, endLine: 6 },
    ]);
  });

  test("may be none", () => {
    expect(read(`${copy};\n\\.\n`)).toEqual([
      { type: "statement", bytes: copy, line: 1, endLine: 1 },
      { type: "end of rows", rows: 0, line: 2 },
    ]);
  });

  test("may be the last thing of the file, with and without a line break", () => {
    const end = { type: "end of rows", rows: 1, line: 3 };
    for (const last of ["\\.\n", "\\.", "\\.\r\n", "\\.\r"]) {
      expect(read(`${copy};\n1\n${last}`).at(-1)).toEqual(end);
    }
  });

  test("that only look like the closing line end nothing", () => {
    const rows = "\\.a\n\\\\.\na\\.\n\\.\t1\n \\.\n\\..\n\\.\r\r\n\\N\n.\n\\\n";
    expect(read(`${copy};\n${rows}\\.\n`).slice(1)).toEqual([
      { type: "rows", bytes: rows },
      { type: "end of rows", rows: 10, line: 12 },
    ]);
  });

  test("of a file with Windows line ends keep them", () => {
    expect(read(`${copy};\r\n1\r\n2\r\n\\.\r\nSELECT 1;\r\n-- a\r\n`)).toEqual([
      { type: "statement", bytes: copy, line: 1, endLine: 1 },
      { type: "rows", bytes: "1\r\n2\r\n" },
      { type: "end of rows", rows: 2, line: 4 },
      { type: "statement", bytes: "SELECT 1", line: 5, endLine: 5 },
      { type: "comment", text: "-- a", line: 6 },
    ]);
  });

  test("that look like CSV are rows like others", () => {
    const rows = '"a;\n\\"",\'b\n$$,/*\n';
    expect(read(`${copy};\n${rows}\\.\nSELECT 1;\n`).slice(1, 3)).toEqual([
      { type: "rows", bytes: rows },
      { type: "end of rows", rows: 3, line: 5 },
    ]);
  });

  test("follow a COPY of any spelling", () => {
    for (const spelling of [
      'copy "a;b" from STDIN',
      "COPY t FROM stdin WITH (FORMAT text)",
      "COPY t\n  (a)\nFROM\n  stdin",
      "COPY t /* c */ FROM stdin",
      "COPY t FROM/* a; */stdin",
      "COPY t FROM -- a;\n stdin",
      "COPY t(a)FROM stdin(FORMAT csv)",
      "COPY s.from FROM stdin",
    ]) {
      expect(read(`${spelling};\n1\n\\.\n`).slice(1, 2)).toEqual([{ type: "rows", bytes: "1\n" }]);
    }
  });

  test("do not follow other statements that name stdin", () => {
    const others = [
      ...["COPY t FROM '/tmp/stdin'", "COPY t TO stdout", "SELECT ' FROM stdin'"],
      ...["COPY (SELECT * FROM stdin) TO stdout", 'COPY "a FROM stdin" TO stdout'],
      ...["COPY t FROM 'stdin'", "COPY t FROM PROGRAM ' FROM stdin'"],
    ];
    expect(statements(`${others.join(";\n")};\n`)).toEqual(others);
  });

  test("come before what stands behind COPY in its line", () => {
    expect(read(`${copy}; SELECT 2; -- a\n1\n\\.\nSELECT 3;\n`)).toEqual([
      { type: "statement", bytes: copy, line: 1, endLine: 1 },
      { type: "rows", bytes: "1\n" },
      { type: "end of rows", rows: 1, line: 3 },
      { type: "statement", bytes: "SELECT 2", line: 1, endLine: 1 },
      { type: "comment", text: "-- a", line: 1 },
      { type: "statement", bytes: "SELECT 3", line: 4, endLine: 4 },
    ]);
  });

  test("of two COPY in one line come one after the other", () => {
    const expected = [
      { type: "statement", bytes: copy, line: 1, endLine: 1 },
      { type: "rows", bytes: "1\n" },
      { type: "end of rows", rows: 1, line: 3 },
      { type: "statement", bytes: "copy b from stdin", line: 1, endLine: 1 },
      { type: "rows", bytes: "2\n3\n" },
      { type: "end of rows", rows: 2, line: 6 },
      { type: "statement", bytes: "SELECT\n1", line: 1, endLine: 7 },
    ];
    const text = `${copy}; copy b from stdin; SELECT\n1\n\\.\n2\n3\n\\.\n1;`;
    expect(read(text)).toEqual(expected);
    expect(readChunks(Array.from(Buffer.from(text), (byte) => Buffer.of(byte)))).toEqual(expected);
  });

  test("follow as PostgreSQL says, whatever the text", () => {
    const reader = new SqlReader();
    const tokens: unknown[] = [];
    const text = `${copy};\nSELECT 1;\n1\n\\.\n`;
    for (const token of readAs(reader, text)) tokens.push(plain(token));
    expect(tokens).toEqual([
      { type: "statement", bytes: copy, line: 1, endLine: 1 },
      { type: "statement", bytes: "SELECT 1", line: 2, endLine: 2 },
      { type: "rows", bytes: "1\n" },
      { type: "end of rows", rows: 1, line: 4 },
    ]);
    function* readAs(reader: SqlReader, text: string): Generator<SqlToken> {
      for (const token of reader.push(Buffer.from(text))) {
        if (token.type === "statement") reader.rowsFollow = token.bytes.toString() === "SELECT 1";
        yield token;
      }
      yield* reader.finish();
    }
  });
});

describe("a file that ends in the middle", () => {
  test.each([
    ["SELECT 1", "statement", 1],
    ["SELECT 'a;\n", "statement", 2],
    ['SELECT "a;', "statement", 1],
    ["SELECT $$a;$a$;\n;", "statement", 2],
    ["SELECT (1;", "statement", 1],
    ["SELECT 1 -- ;", "statement", 1],
    ["/* a", "statement", 1],
    ["CREATE FUNCTION f()\nBEGIN ATOMIC SELECT 1;", "statement", 2],
    ["COPY t FROM stdin;", "rows", 1],
    ["COPY t FROM stdin;\n", "rows", 2],
    ["COPY t FROM stdin;\n1\n2\n", "rows", 4],
    ["COPY t FROM stdin;\n1\n2", "rows", 3],
    ["COPY t FROM stdin;\n1\\.", "rows", 2],
    ["COPY t FROM stdin;\n\\", "rows", 2],
  ])("is seen: %j", (text, what, line) => {
    expect(read(text).at(-1)).toEqual({ type: "unfinished", what, line });
  });

  test("after a statement is complete", () => {
    expect(read("SELECT 1;\n-- end").at(-1)).toEqual({ type: "comment", text: "-- end", line: 2 });
  });
});

/** Pieces that are read differently depending on what stands around them. */
const tricky = fc.constantFrom(
  ..."'|\"|$|$$|$a$|;|(|)|-|--|/|*|/*|*/|\\|\\.|\n|\r\n|\r|\n\\.\n|E'|e|a|1| |ä|--\n|\0".split("|"),
  "COPY t FROM stdin;\n",
  "CREATE FUNCTION f() BEGIN ATOMIC ",
  "CASE ",
  "END",
  "SET standard_conforming_strings = off;",
  "-- Name: t; Type: TABLE\n",
);
const trickyText = fc.array(tricky, { maxLength: 60 }).map((pieces) => pieces.join(""));

/** A name as SQL may write it. */
const name = fc
  .string({ minLength: 1, unit: "grapheme" })
  .map((text) => `"${text.replaceAll('"', '""').replaceAll("\0", "")}"`);
const text = fc.string({ unit: "grapheme" }).map((value) => value.replaceAll("\0", ""));
const literal = fc.oneof(
  text.map((value) => `'${value.replaceAll("'", "''")}'`),
  text.map((value) => `E'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`),
  text.map((value) => `$q1$${value.replaceAll("$", "")}$q1$`),
  text.map((value) => `/*${value.replaceAll(/[*/]/g, "")}*/ NULL`),
  text.map((value) => `-- ${value.replaceAll(/[\r\n]/g, "")}\nNULL`),
);
const statement = fc
  .tuple(name, fc.array(literal, { minLength: 1, maxLength: 4 }))
  .map(([table, values]) => `INSERT INTO ${table} VALUES (${values.join(", ")})`);
const block = fc.array(fc.stringMatching(/^[^\n\r\\]*$/), { maxLength: 4 }).map((lines) => ({
  copy: "COPY t FROM stdin",
  rows: lines.map((line) => `${line}\n`).join(""),
  count: lines.length,
}));

describe("whatever the file", () => {
  test("cutting it into other chunks changes nothing", () => {
    fc.assert(
      fc.property(trickyText, fc.array(fc.nat(80)), (file, cuts) => {
        const bytes = Buffer.from(file, "utf8");
        const chunks: Buffer[] = [];
        let from = 0;
        for (const length of cuts) {
          chunks.push(bytes.subarray(from, from + length));
          from += length;
        }
        chunks.push(bytes.subarray(from));
        const bytewise = Array.from(bytes, (byte) => Buffer.of(byte));
        expect(readChunks(chunks)).toEqual(readChunks([bytes]));
        expect(readChunks(bytewise)).toEqual(readChunks([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  test("statements and rows come back as they were written", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(statement, block)), (parts) => {
        const file = parts
          .map((part) =>
            typeof part === "string" ? `${part};\n` : `${part.copy};\n${part.rows}\\.\n\n`,
          )
          .join("");
        const expected = parts.flatMap((part) =>
          typeof part === "string"
            ? [part]
            : [part.copy, ...(part.rows === "" ? [] : [part.rows]), part.count],
        );
        const found = readChunks([Buffer.from(file)]).map((token) =>
          token.type === "end of rows"
            ? token.rows
            : Buffer.from(String(token.bytes), "latin1").toString(),
        );
        expect(found).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("every line is counted once", () => {
    fc.assert(
      fc.property(trickyText, (file) => {
        const tokens = read(`${file}\n-- last`);
        const last = tokens.at(-1);
        if (last?.type === "comment" || last?.type === "unfinished") {
          expect(last.line).toBe(
            Buffer.from(file, "latin1").toString("latin1").split("\n").length + 1,
          );
        }
      }),
    );
  });
});

const examples = path.join(checkout, "examples/timesheets");
const data = path.join(checkout, "../shared/data");

function dumpsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(".sql") && file.startsWith("pg_dump."))
      .map((file) => path.join(folder, file));
  } catch {
    return [];
  }
}

/** Rows by table, as the reader counts them. */
function countRows(file: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  let table = "";
  for (const token of readChunks([readFileSync(file)])) {
    if (token.type === "statement") table = describeStatement(String(token.bytes)).name ?? "";
    if (token.type === "end of rows") counts[table] = Number(token.rows);
  }
  return counts;
}

describe("real dumps", () => {
  test("the example has the rows that its generator made", () => {
    const [dump = ""] = dumpsIn(examples);
    const expected = JSON.parse(
      readFileSync(path.join(examples, "expected.json"), "utf8"),
    ) as Readonly<Record<string, number>>;
    const unquoted = Object.entries(expected).map(([table, rows]) => [
      table.replaceAll('"', ""),
      rows,
    ]);
    expect(countRows(dump)).toEqual(Object.fromEntries(unquoted));
  });

  test.each([...dumpsIn(examples), ...dumpsIn(data)].map((file) => [path.basename(file), file]))(
    "%s is read to its last line",
    (_, file) => {
      const tokens = readChunks([readFileSync(file)]);
      expect(tokens.filter(({ type }) => type === "unfinished")).toEqual([]);
      expect(tokens.flatMap((token) => (token.type === "comment" ? [token.text] : [])).at(-2)).toBe(
        "-- PostgreSQL database dump complete",
      );
    },
  );
});
