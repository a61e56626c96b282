import { describe, expect, test } from "vitest";
import { describeStatement } from "../../../../model/dump/statement";
import { fixFor, type DumpVersions } from "../../../../model/import-log/fixes";
import type { ImportEvent } from "../../../../model/import-log/event";

function fix(sql: string, sqlstate: string, message: string, versions?: DumpVersions): unknown {
  const event: ImportEvent = {
    ...{ severity: "ERROR", phase: "schema", sqlstate, message, statement: sql },
  };
  return fixFor(event, describeStatement(sql), versions);
}

describe("a syntax error", () => {
  const error = [
    "CREATE FUNCTION f(json json)",
    "42601",
    'syntax error at or near "json"',
  ] as const;

  test.each<readonly [DumpVersions, RegExp]>([
    [
      { dump: 10, server: 17 },
      /became a keyword between PostgreSQL 10 and 17; dump again with pg_dump --quote-all-identifiers$/,
    ],
    [
      { dump: 18, server: 17 },
      /the dump is from PostgreSQL 18, and this server's 17 does not know everything in it/,
    ],
    [
      { dump: 17, server: 17 },
      /^the dump was edited or damaged, or has a name that is a keyword in this version only/,
    ],
    [{}, /^the dump was edited or damaged/],
  ])("of a dump by %j", (versions, expected) => {
    expect(fix(...error, versions)).toMatch(expected);
  });
});

describe("an extension that is not there", () => {
  const message = (name: string): string => `extension "${name}" is not available`;

  test.each(["adminpack", "chkpass"])("%s was removed from PostgreSQL", (name) => {
    expect(fix(`CREATE EXTENSION ${name}`, "0A000", message(name))).toMatch(
      new RegExp(
        `has no extension ${name} since version \\d+, so leave it out: DROP EXTENSION ${name} on`,
      ),
    );
  });

  test("is to be installed otherwise", () => {
    expect(fix("CREATE EXTENSION postgis", "0A000", message("postgis"))).toMatch(
      /install the package/,
    );
  });
});
