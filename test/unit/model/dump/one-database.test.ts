import { describe, expect, test } from "vitest";
import { clientEncodingOf } from "../../../../model/dump/client-encoding";
import { ClusterDatabases, connectedDatabase } from "../../../../model/dump/cluster-databases";
import { OneDatabase } from "../../../../model/dump/one-database";
import { ownedSchema } from "../../../../model/dump/schema-owner";
import { describeStatement } from "../../../../model/dump/statement";

/** What becomes of each line: a statement, or a psql command. */
function decide(lines: readonly string[], only?: string): readonly unknown[] {
  const database = new OneDatabase(only);
  return lines.map((line) =>
    line.startsWith("\\") ? database.connect(line) : database.statement(describeStatement(line)),
  );
}

describe("a dump of one database", () => {
  test("may create it and connect to it", () => {
    const lines = [
      "SET a = 1",
      "DROP DATABASE IF EXISTS shop",
      "CREATE DATABASE shop WITH TEMPLATE = template0",
      "ALTER DATABASE shop OWNER TO a",
      "\\connect shop",
      "CREATE TABLE a (id int)",
      "GRANT CONNECT ON DATABASE shop TO a",
      "COMMENT ON DATABASE shop IS 'x'",
    ];
    const [out, run] = ["leave out", "run"];
    expect(decide(lines)).toEqual([run, out, out, out, undefined, run, out, out]);
  });

  test.each([
    [["CREATE DATABASE a", "CREATE DATABASE b"], { problem: "has several databases: a and b" }],
    [["CREATE DATABASE a", "\\connect b"], "has several databases: a and b"],
    [["CREATE TABLE t (i int)", "\\c b"], "connects to database b after it has created objects"],
    [
      ["DROP DATABASE a", "CREATE TABLE t (i int)"],
      { problem: "drops database a and does not create it again" },
    ],
    [["ALTER DATABASE a SET b = 1"], { problem: "alters a database" }],
    [["CREATE DATABASE a", "ALTER DATABASE a RENAME TO b"], { problem: "renames a database" }],
  ])("may not reach beyond it: %j", (lines, expected) => {
    expect(decide(lines).at(-1)).toEqual(expected);
  });
});

test("of a cluster only the chosen database is restored", () => {
  const lines = [
    "CREATE ROLE a",
    "\\connect a",
    "SELECT 1",
    "CREATE DATABASE b",
    "\\connect b",
    "SELECT 2",
    "\\connect c",
    "SELECT 3",
  ];
  const out = "leave out";
  expect(decide(lines, "b")).toEqual([out, undefined, out, out, undefined, "run", undefined, out]);
});

test.each([
  ["\\connect shop", "shop"],
  ["\\c shop\r", "shop"],
  ['\\connect "My ""shop"""', 'My "shop"'],
  ["\\connect -reuse-previous=on \"dbname='a \\'b'\"", "a 'b"],
  ["\\connect - postgres", undefined],
  ["\\connect", undefined],
])("%s connects to %s", (command, name) => {
  expect(connectedDatabase(command)).toBe(name);
});

test("the databases of a cluster are found, however its bytes are cut", () => {
  const text =
    "\\connect template1\nCREATE DATABASE shop;\n\\connect postgres\nx\\connect no\n\\connect shop\n\\connect hr\n\\connect shop\n";
  for (let at = 0; at <= text.length; at++) {
    const found = new ClusterDatabases();
    for (const chunk of [text.slice(0, at), text.slice(at)]) found.push(Buffer.from(chunk));
    expect(found.names).toEqual(["shop", "hr"]);
    expect(found.creationOf("shop")).toBe("CREATE DATABASE shop;");
  }
});

test.each([
  ["SET client_encoding = 'LATIN1'", "LATIN1"],
  ["set client_encoding to utf8", "utf8"],
  ['SET SESSION client_encoding TO "WIN1252"', "WIN1252"],
  ["SET NAMES 'LATIN2'", "LATIN2"],
  ["SELECT pg_catalog.set_config('client_encoding', 'EUC_JP', false)", "EUC_JP"],
  ["SET client_encoding = DEFAULT", undefined],
  ["SET search_path = public", undefined],
])("%s sets the encoding to %s", (statement, encoding) => {
  expect(clientEncodingOf(statement)).toBe(encoding);
});

test.each([
  ["CREATE SCHEMA a AUTHORIZATION b", 'CREATE SCHEMA "a"', 'ALTER SCHEMA "a" OWNER TO "b"'],
  ["create schema authorization B", 'CREATE SCHEMA "b"', 'ALTER SCHEMA "b" OWNER TO "b"'],
  [
    'CREATE SCHEMA IF NOT EXISTS "A" AUTHORIZATION "B c"',
    'CREATE SCHEMA IF NOT EXISTS "A"',
    'ALTER SCHEMA "A" OWNER TO "B c"',
  ],
])("%s is two statements", (text, create, changeOwner) => {
  expect(ownedSchema(text)).toEqual({ create, changeOwner });
  expect(ownedSchema("CREATE SCHEMA a")).toBeUndefined();
});
