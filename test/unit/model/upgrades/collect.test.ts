import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { collectScripts, isScriptCandidate } from "../../../../model/upgrades/collect";
import { inspectScript } from "../../../../model/upgrades/script-text";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const collect = (files: Readonly<Record<string, string | Buffer>>) =>
  collectScripts(
    Object.entries(files).map(([path, contents]) => ({ path, bytes: Buffer.from(contents) })),
    sha256,
  );
const problemsOf = (files: Readonly<Record<string, string | Buffer>>) => collect(files).problems;

describe("a folder of upgrade scripts", () => {
  test("scripts in one folder belong to the application", () => {
    const text = "ALTER TABLE t ADD c int;\n";
    expect(
      collect({ "upgrade-3.4.0.9.0-3.4.0.10.0.sql": text, "create.sql": "x", "notes.txt": "" }),
    ).toEqual({
      problems: [],
      scripts: [
        {
          package: "application",
          from: "3.4.0.9.0",
          to: "3.4.0.10.0",
          name: "upgrade-3.4.0.9.0-3.4.0.10.0.sql",
          sha256: sha256(text),
          text,
        },
      ],
    });
  });

  test.each([
    ["acs-kernel/upgrade-1-2.sql", "acs-kernel"],
    ["acs-kernel/sql/postgresql/upgrade/upgrade-1-2.sql", "acs-kernel"],
    ["packages/acs-kernel/sql/postgresql/upgrade/upgrade-1-2.sql", "acs-kernel"],
    ["sql/postgresql/upgrade/upgrade-1-2.sql", "application"],
    ["upgrade/upgrade-1-2.sql", "application"],
  ])("%s belongs to %s", (path, owner) => {
    expect(collect({ [path]: "SELECT 1;" }).scripts).toMatchObject([{ package: owner }]);
  });

  test.each([
    "intranet/sql/oracle/upgrade/upgrade-1-2.sql",
    "node_modules/x/upgrade-1-2.sql",
    ".git/upgrade-1-2.sql",
    "acs-kernel/sql/postgresql/acs-create.sql",
    "upgrade-1-2.tcl",
  ])("%s is left alone", (path) => {
    expect(isScriptCandidate(path)).toBe(false);
    expect(collect({ [path]: "\\garbage" })).toEqual({ scripts: [], problems: [] });
  });

  test("the digest is the same on every checkout", () => {
    const [windows] = collect({ "upgrade-1-2.sql": "\uFEFFSELECT 1;\r\nSELECT 2;\r\n" }).scripts;
    const [unix] = collect({ "upgrade-1-2.sql": "SELECT 1;\nSELECT 2;\n" }).scripts;
    expect(windows).toEqual(unix);
  });

  test("all that is wrong is told at once, by file", () => {
    expect(
      problemsOf({
        "a/upgade-1-2.sql": "",
        "a/upgrade-1.sql": "",
        "a/Upgrade-1-2.sql": "",
        "a/upgrade-1.x-2.sql": "",
        "a/upgrade-2-1.sql": "",
        "a/upgrade-1.0-1.sql": "",
        "b/upgrade-1-2.sql": "",
        "b/sql/upgrade-1.0-2.0.sql": "",
        "c/upgrade-1-2.sql": Buffer.from("SELECT 1;\n-- caf\xe9\n", "latin1"),
        "c/upgrade-2-3.sql": Buffer.from("\uFEFFSELECT 1;", "utf16le"),
        "c/upgrade-3-4.sql": "SELECT 1;\n\0",
      }),
    ).toEqual([
      "a/Upgrade-1-2.sql: must be named upgrade-<from>-<to>.sql, with versions that are numbers separated by dots, like 3.4.0.10.0 or 5.10.1b2",
      "a/upgade-1-2.sql: must be named upgrade-<from>-<to>.sql, with versions that are numbers separated by dots, like 3.4.0.10.0 or 5.10.1b2",
      "a/upgrade-1.0-1.sql: 1.0 is not lower than 1",
      "a/upgrade-1.sql: must be named upgrade-<from>-<to>.sql, with versions that are numbers separated by dots, like 3.4.0.10.0 or 5.10.1b2",
      "a/upgrade-1.x-2.sql: must be named upgrade-<from>-<to>.sql, with versions that are numbers separated by dots, like 3.4.0.10.0 or 5.10.1b2",
      "a/upgrade-2-1.sql: 2 is not lower than 1",
      "b/upgrade-1-2.sql: upgrades from 1 to 2, as does b/sql/upgrade-1.0-2.0.sql; remove one of them",
      "c/upgrade-1-2.sql: line 2: is not UTF-8; save the file as UTF-8",
      "c/upgrade-2-3.sql: is UTF-16; save it as UTF-8",
      "c/upgrade-3-4.sql: line 2: has a zero byte, so it is not text",
    ]);
  });

  test("what is wrong within a script is told by file and line", () => {
    expect(problemsOf({ "upgrade-1-2.sql": "SELECT 1;\n\\i other.sql\n" })).toEqual([
      "upgrade-1-2.sql: line 2: \\i is a psql command, but psql does not run upgrade scripts; write it in SQL",
    ]);
  });
});

describe("a script", () => {
  test("runs in a transaction unless it says otherwise before its first statement", () => {
    expect(inspectScript("-- about\nSELECT 1;")).toEqual({ inTransaction: true, problems: [] });
    expect(inspectScript("-- about\n--  Stagecraft: no transaction \nSELECT 1;")).toEqual({
      inTransaction: false,
      problems: [],
    });
    expect(inspectScript("SELECT 1;\n-- stagecraft: no transaction\n").inTransaction).toBe(true);
    expect(inspectScript("SELECT '\n-- stagecraft: no transaction';").inTransaction).toBe(true);
  });

  test("may say BEGIN before all and COMMIT behind all", () => {
    for (const frame of [
      ["BEGIN", "COMMIT"],
      ["begin transaction", "end"],
      ["START TRANSACTION", "commit work"],
    ]) {
      expect(inspectScript(`${frame[0]};\nSELECT 1;\n${frame[1]};\n`).problems).toEqual([]);
    }
  });

  test.each([
    ["SELECT 1;\nBEGIN;", "line 2: BEGIN"],
    ["COMMIT;\nSELECT 1;", "line 1: COMMIT"],
    ["SELECT 1;\n\n  rollback ;", "line 3: ROLLBACK"],
    ["SELECT 1;\nABORT;\nSELECT 2;", "line 2: ABORT"],
    ["PREPARE  TRANSACTION 'x';", "line 1: PREPARE TRANSACTION"],
  ])("cannot end its transaction itself: %j", (text, begin) => {
    expect(inspectScript(text).problems).toEqual([
      `${begin} would split the script's transaction; remove it, or begin the script with "-- stagecraft: no transaction"`,
    ]);
  });

  test.each([
    "SAVEPOINT a;\nROLLBACK TO a;\nRELEASE a;",
    "ROLLBACK TRANSACTION TO SAVEPOINT a;",
    "DO $$ BEGIN NULL; END $$;",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;",
    "SELECT 'x\n\\i y\n';",
    "COPY t FROM stdin;\n\\N\n\\.\n",
    "\\restrict abc\nSELECT 1;\n\\unrestrict abc\n",
    "PREPARE transactions AS SELECT 1;",
  ])("may say: %j", (text) => {
    expect(inspectScript(text).problems).toEqual([]);
  });

  test("without a transaction it may have its own, and must end it", () => {
    const head = "-- stagecraft: no transaction\n";
    expect(inspectScript(`${head}BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;`).problems).toEqual([]);
    expect(inspectScript(`${head}SELECT 1;\nBEGIN;\nSELECT 1;`).problems).toEqual([
      "line 3: BEGIN opens a transaction that the script does not end",
    ]);
  });

  test.each([
    [
      "-- stagecraft: no transactions\nSELECT 1;",
      'line 1: unknown directive "-- stagecraft: no transactions"; only "-- stagecraft: no transaction" is supported',
    ],
    [
      "SELECT 'a;\nSELECT 1;\n",
      "line 3: the file ends within a statement; add the missing semicolon, quote or parenthesis",
    ],
    [
      "COPY t FROM stdin;\n1\n",
      "line 3: the file ends within the rows of a COPY; add the closing line \\.",
    ],
    [
      "\\set x 1\nSELECT :x;",
      "line 1: \\set is a psql command, but psql does not run upgrade scripts; write it in SQL",
    ],
  ])("is refused: %j", (text, problem) => {
    expect(inspectScript(text).problems).toEqual([problem]);
  });
});
