import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  verificationName,
  databaseNameProblem,
  formatBackupId,
  candidateName,
  parseLeftoverName,
  outgoingName,
  parseBackupId,
  parseDumpName,
  previousVersionName,
} from "../../../../model/base/names";
import { quoteIdentifier, quoteLiteral, unquoteIdentifier } from "../../../../model/base/sql";

describe("a database name", () => {
  test.each(["timesheets", 'a "b" c', "Größe", "x; DROP TABLE y", "a".repeat(52), "__incoming_"])(
    "may be %j",
    (name) => {
      expect(databaseNameProblem(name)).toBeUndefined();
    },
  );

  test.each([
    ["", "not be empty"],
    ["a\0b", "not contain a zero byte"],
    [
      "ä".repeat(27),
      'be at most 52 bytes long, so that "__previous5" can be appended (PostgreSQL truncates names to 63), got 54',
    ],
    ["postgres", "not be one of PostgreSQL's own databases (postgres, template0, template1)"],
    ["pg_shop", 'not begin with "pg_", which PostgreSQL reserves for its own roles'],
    [
      "stagecraft_monitor",
      'not begin with "stagecraft_", which Stagecraft reserves for its own roles',
    ],
    ["public", "not be public, which is reserved in PostgreSQL"],
    ["a__incoming", `not end in "__incoming", which marks databases that Stagecraft creates`],
    ["a__previous", `not end in "__previous", which marks databases that Stagecraft creates`],
    ["a__outgoing", `not end in "__outgoing", which marks databases that Stagecraft creates`],
    ["a__checking", `not end in "__checking", which marks databases that Stagecraft creates`],
  ])("must %2$s: %1$j", (name, problem) => {
    expect(databaseNameProblem(name)).toBe(problem);
  });

  test("leads to its copies and back", () => {
    expect([
      candidateName("a"),
      previousVersionName("a"),
      outgoingName("a"),
      verificationName("a"),
    ]).toEqual(["a__incoming", "a__previous", "a__outgoing", "a__checking"]);
    expect(
      ["a__incoming", "a__outgoing", "a__checking", "a__previous", "a", "__incoming"].map(
        parseLeftoverName,
      ),
    ).toEqual([
      { database: "a", lock: "a" },
      { database: "a", lock: "a" },
      { database: "a", lock: "a__checking" },
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("a backup id", () => {
  test("is a moment in UTC", () => {
    expect(parseBackupId("20261122T032900Z")?.toISOString()).toBe("2026-11-22T03:29:00.000Z");
    expect(formatBackupId(new Date("2026-11-22T03:29:00.999Z"))).toBe("20261122T032900Z");
  });

  test.each(["20260230T000000Z", "20261122T240000Z", "20261322T000000Z", "20261122T032900", "x"])(
    "is not %s",
    (id) => {
      expect(parseBackupId(id)).toBeUndefined();
    },
  );

  test("comes back from its moment", () => {
    const years = { min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z") };
    fc.assert(
      fc.property(fc.date({ ...years, noInvalidDate: true }), (moment) => {
        const id = formatBackupId(moment);
        expect(parseBackupId(id)?.getTime()).toBe(Math.floor(moment.getTime() / 1000) * 1000);
      }),
    );
  });
});

test.each([
  [
    "pg_dump.production.timesheets.20261115.032900.sql",
    ["production", "timesheets", "20261115T032900Z"],
  ],
  [
    "pg_dump.production.timesheets.20261115.032900.sql.bz2",
    ["production", "timesheets", "20261115T032900Z"],
  ],
  [
    "pg_dump.production.timesheets.20261115.032900",
    ["production", "timesheets", "20261115T032900Z"],
  ],
  ["pg_dump.production.a.b c.20261115.032900.dump", ["production", "a.b c", "20261115T032900Z"]],
  ["pg_dump.production.timesheets.20261345.032900.sql", undefined],
  ["pg_dump.timesheets.20261115.032900.sql", undefined],
  ["timesheets.sql", undefined],
])("the dump name %s tells %j", (fileName, told) => {
  const name = parseDumpName(fileName);
  expect(name && [name.server, name.database, name.backup]).toEqual(told);
});

describe("quoting", () => {
  test("of identifiers comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        expect(unquoteIdentifier(quoteIdentifier(name))).toBe(name);
      }),
    );
    expect(quoteIdentifier('a"b')).toBe('"a""b"');
    expect(unquoteIdentifier("Users")).toBe("users");
  });

  test("of texts doubles quotes, and backslashes only in escape strings", () => {
    expect([quoteLiteral("it's"), quoteLiteral("C:\\'")]).toEqual(["'it''s'", " E'C:\\\\'''"]);
  });
});
