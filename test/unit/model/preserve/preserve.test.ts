import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderByReferences } from "../../../../model/preserve/reference-order";
import type { PreservedTable } from "../../../../model/preserve/protocol";
import { skipReasonOf } from "../../../../model/preserve/skip-reason";
import { preserveReportText } from "../../../../model/preserve/report-text";
import { parseStackConfig } from "../../../../model/stack-file/parse";

const table = (more: Partial<PreservedTable>): PreservedTable => ({
  ...{ table: "testers", state: "carried over", rows: 0, carried: 0, same: 0 },
  ...{ aside: [], shortened: 0, notes: [] },
  ...more,
});

describe("what was kept, for people", () => {
  test("is one line when all is well", () => {
    expect(preserveReportText({ tables: [] })).toBe("no tables to preserve");
    const tables = [
      table({ rows: 1, carried: 1 }),
      table({ table: "qa.sign_off", rows: 1200, carried: 1000, same: 200 }),
      table({ table: "later", state: "absent" }),
    ];
    expect(preserveReportText({ tables })).toBe(
      "preserved testers (1 row), qa.sign_off (1,200 rows), later (does not exist yet)",
    );
  });

  test("tells of each table what was put aside, and where", () => {
    const tables = [
      table({
        ...{ state: "created", rows: 5, carried: 2, shortened: 1 },
        aside: [
          { reason: "unique conflict", rows: 2, example: "…" },
          { reason: "missing target", rows: 1, example: "…" },
        ],
        notes: ["lacks something"],
      }),
    ];
    expect(preserveReportText({ tables, log: "20261125T032900123Z-keep.jsonl" })).toBe(
      [
        "preserved testers (2 of 5 rows)",
        "  testers   created, because the new contents do not have this table",
        "  testers   3 rows skipped: 2 unique conflict, 1 missing target",
        "  testers   1 row without the values of removed columns",
        "  testers   lacks something",
        "  log       20261125T032900123Z-keep.jsonl",
      ].join("\n"),
    );
  });
});

test.each([
  ["23505", "unique conflict"],
  ["23P01", "unique conflict"],
  ["23503", "missing target"],
  ["23502", "null not allowed"],
  ["23514", "check violated"],
  ["22001", "wrong type"],
  ["22P02", "wrong type"],
  ["42P01", "missing table"],
  ["P0001", "other"],
])("%s is: %s", (sqlstate, reason) => {
  expect(skipReasonOf(sqlstate)).toBe(reason);
});

describe("tables are in the order of their references", () => {
  test("those that others refer to come first; a circle keeps them as they come", () => {
    const references = [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
      { from: "x", to: "y" },
      { from: "y", to: "x" },
      { from: "a", to: "elsewhere" },
    ];
    expect(orderByReferences(["a", "x", "b", "y", "c"], references)).toEqual([
      ...["c", "b", "a", "y", "x"],
    ]);
  });

  test("every table is there once, and without circles none comes before what it refers to", () => {
    const names = ["a", "b", "c", "d", "e"];
    const pair = fc
      .tuple(fc.nat(4), fc.nat(4))
      .filter(([from, to]) => from > to)
      .map(([from, to]) => ({ from: names[from] ?? "", to: names[to] ?? "" }));
    fc.assert(
      fc.property(fc.shuffledSubarray(names), fc.array(pair), (tables, references) => {
        const order = orderByReferences(tables, references);
        expect([...order].sort()).toEqual([...tables].sort());
        for (const { from, to } of references)
          if (order.includes(from) && order.includes(to))
            expect(order.indexOf(to)).toBeLessThan(order.indexOf(from));
      }),
    );
  });
});

describe("the setting database.keep", () => {
  const passwords = { application: "long enough", readonly: "long enough", monitor: "long enough" };
  const parse = (keep: unknown) =>
    parseStackConfig("staging", {
      postgres: { port: 15433 },
      database: { name: "timesheets", keep },
      data: { dump: "x.sql" },
      passwords,
    });

  test("takes names of tables, and sections with a condition", () => {
    const { config: settings, problems } = parse([
      "testers",
      { table: "users", where: "is_tester" },
    ]);
    expect(problems).toEqual([]);
    expect(settings.database?.keep).toEqual([
      { table: "testers" },
      { table: "users", where: "is_tester" },
    ]);
  });

  const rule =
    'must be the name of a table, or a section like { table: users, where: "is_tester" }';
  test.each([
    [[7], "database.keep.0", `${rule}, got 7`],
    [
      ["a", { table: "users", were: "x" }],
      "database.keep.1",
      `${rule}, got {"table":"users","were":"x"}`,
    ],
    [[""], "database.keep.0", `${rule}, got ""`],
    ["testers", "database.keep", 'must be a list of tables, got "testers"'],
  ])("refuses %j", (keep, path, text) => {
    expect(parse(keep).problems).toEqual([{ path, text }]);
  });
});
