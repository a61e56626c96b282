import { describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { useLiveDatabase } from "../../support/databases/live-database";
import { limit, minute } from "../../support/time/limit.mjs";

const server = useServer();
const former = useLiveDatabase(server);

/** Where rows are waited for that never come, nothing else would end a test. */
const timeout = limit(minute);

const table =
  'CREATE TABLE public.t (a integer, b text);\nCREATE TABLE public."u FROM stdin" (a integer);';
const twoRows = "1\tone\n2\ttwo\n\\.\n";

/** Restores a dump, and says what is in its table afterwards. */
async function restored(database: string, statements: string): Promise<string> {
  const dump = Buffer.from(plainDump(`${table}\n${statements}`));
  const { result, stderr } = await server.restore({ database, dump });
  expect(result.result, stderr).toBe("restored");
  return server.sql(database, "SELECT string_agg(a || '=' || b, ' ' ORDER BY a) FROM public.t");
}

describe("rows follow when PostgreSQL asks for them, however COPY is written", { timeout }, () => {
  test.each([
    ["in lower case", `copy public.t from stdin;\n${twoRows}`],
    ["with a comment between", `COPY public.t FROM/* a; */STDIN;\n${twoRows}`],
    ["with a line comment between", `COPY public.t (a, b) FROM -- a;\n\n stdin;\n${twoRows}`],
    ["without blanks", `COPY public.t(a,b)FROM stdin(FORMAT text);\n${twoRows}`],
    ["behind a comment", `/* a */ COPY public.t FROM stdin;\n${twoRows}`],
    [
      "as CSV with a header",
      'COPY public.t FROM STDIN WITH (FORMAT csv, HEADER);\na,b\n1,one\n2,"two"\n\\.\n',
    ],
    ["with a condition", `COPY public.t FROM stdin WHERE a < 3;\n3\tthree\n${twoRows}`],
    ["in the middle of a line", `SELECT 1; COPY public.t FROM stdin; SELECT 2;\n${twoRows}`],
    [
      "twice in a line",
      `COPY public.t FROM stdin; COPY public.t FROM stdin;\n1\tone\n\\.\n2\ttwo\n\\.\n`,
    ],
    [
      "before a statement that begins in its line",
      `COPY public.t FROM stdin; SELECT\n${twoRows}2;\n`,
    ],
  ])("%s", async (_, statements) => {
    expect(await restored("copied", `${statements}\nSELECT 1;`)).toBe("1=one 2=two");
  });
});

describe("a COPY without rows does not wait for any", { timeout }, () => {
  test("to the client, in spellings of every kind", async () => {
    const statements = [
      `COPY public.t FROM stdin;\n${twoRows}COPY public.t TO stdout;`,
      'COPY public."u FROM stdin" TO STDOUT;',
      "COPY (SELECT a FROM public.t stdin) TO stdout WITH (FORMAT binary);",
      "COPY (SELECT 1 FROM generate_series(1, 100000)) TO STDOUT;",
    ];
    expect(await restored("copied", statements.join("\n"))).toBe("1=one 2=two");
  });

  test("from a file that is not there: the restore fails with the line", async () => {
    await former.expectRefused(
      Buffer.from(plainDump(`${table}\nCOPY public.t FROM '/nowhere/stdin';`)),
      "file.sql",
      /cause.*(?:\/nowhere\/stdin|COPY from a file)/,
    );
  });
});

describe(
  "what cannot be read ends the restore with one error, and the next one begins at once",
  { timeout },
  () => {
    test.each([
      [
        "rows in binary format",
        "COPY public.t FROM stdin WITH (FORMAT binary);\nPGCOPY\n\\.\n",
        /has rows in binary format \(line 16: COPY public\.t FROM stdin WITH \(FORMAT binary\)\)/,
      ],
      [
        "the old binary spelling",
        "COPY BINARY public.t FROM stdin;\nPGCOPY\n",
        /has rows in binary format \(line 16/,
      ],
      [
        "rows without an end",
        "COPY public.t FROM/**/stdin;\n1\tone\n",
        /in the middle of the rows of public\.t/,
      ],
      [
        "a COPY that is read as a part of a string",
        "SELECT set_config('standard_conforming_strings', 'off', false);\nSELECT '\\';\\n, 1'; COPY public.t FROM stdin; --';\n",
        /cause|truncated/,
      ],
    ])("%s", async (_, statements, text) => {
      const dump = Buffer.from(plainDump(`${table}\n${statements}`));
      await former.expectRefused(dump, "unusual.sql", text);
    });
  },
);
