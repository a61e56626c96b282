import { describe, expect, test } from "vitest";
import { upgradesText } from "../../../../cli/text/upgrades";
import type {
  ScriptFailure,
  ScriptState,
  UpgradesResult,
} from "../../../../model/upgrades/protocol";
import {
  scriptFailureLines,
  upgradesReportText,
  versionsText,
} from "../../../../model/upgrades/report-text";

const state = (from: string, to: string, more: Partial<ScriptState>): ScriptState => ({
  ...{ package: "application", from, to, name: `upgrade-${from}-${to}.sql`, state: "pending" },
  ...more,
});
const failure: ScriptFailure = {
  ...{ package: "intranet", from: "1", to: "2", name: "upgrade-1-2.sql", line: 12 },
  ...{ statement: "ALTER TABLE t DROP c", sqlstate: "42703", message: 'column "c" does not exist' },
  takenBack: true,
};
const report = { applied: [], problems: [], notes: [], versions: [], seconds: 1.25 };

describe("a failure tells script, line, SQLSTATE, statement, what was undone and the fix", () => {
  test("of a script of a package", () => {
    expect(scriptFailureLines({ ...failure, detail: "a detail", hint: "a hint" })).toEqual([
      "  script    intranet: upgrade-1-2.sql, line 12",
      '  cause     42703  column "c" does not exist   ALTER TABLE t DROP c',
      "            a detail",
      "            a hint",
      "  rollback  all changes of this script",
    ]);
  });

  test.each([
    [
      "25001",
      "x",
      'begin the script with "-- stagecraft: no transaction", with this statement only',
    ],
    [
      "42601",
      'syntax error at or near "\\"',
      "remove the psql command; psql does not run upgrade scripts",
    ],
    [
      "42601",
      'syntax error at or near ":"',
      "replace the psql variable by its value; psql does not run upgrade scripts",
    ],
    ["42501", "x", "the database's owner runs the scripts; remove what only a superuser may do"],
    [
      "55P03",
      "x",
      "another session holds a lock, or the statement takes too long; test it on a copy: npx stagecraft upgrades <stack> --dry-run",
    ],
  ])("%s %s", (sqlstate, message, fix) => {
    expect(scriptFailureLines({ ...failure, sqlstate, message }).at(-1)).toBe(`  fix       ${fix}`);
  });
});

test("a report is one line when all is well", () => {
  expect(upgradesReportText({ ...report, result: "applied" })).toBe(
    "no upgrade script was pending",
  );
  const applied = [{ ...state("1", "2", {}), seconds: 1, warnings: [] }].map(
    ({ state: _, ...one }) => one,
  );
  expect(upgradesReportText({ ...report, result: "applied", applied })).toBe(
    "1 upgrade script in 1.3 s: upgrade-1-2.sql",
  );
  expect(upgradesReportText({ ...report, result: "refused", problems: ["one", "two"] })).toBe(
    "the upgrade scripts do not match the data\n  one\n  two",
  );
  expect(upgradesReportText({ ...report, result: "failed", applied, failure }).split("\n")[0]).toBe(
    "an upgrade script failed; 1 upgrade script before it succeeded",
  );
});

test("where data is names packages only where there are some", () => {
  const source = "ledger";
  expect(versionsText([{ package: "application", version: "3.4", source }])).toBe("3.4");
  expect(
    versionsText([
      { package: "kernel", version: "5.10.1", source },
      { package: "intranet", version: "3.4", source },
    ]),
  ).toBe("kernel 5.10.1, intranet 3.4");
});

describe("npx stagecraft upgrades", () => {
  const result: UpgradesResult = {
    ...{ server: "staging", database: "timesheets", problems: [], notes: [] },
    versions: [{ package: "application", version: "3.4.0.10.0", source: "ledger" }],
    scripts: [
      ...["1", "2", "3", "4"].map((from) => state(from, `${from}.1`, { state: "before" })),
      state("3.4.0.9.0", "3.4.0.10.0", {
        ...{
          state: "applied",
          appliedAt: "2026-11-21T03:31:09.000Z",
          appliedBy: "prod",
          seconds: 1.24,
        },
      }),
      state("3.4.0.10.0", "3.4.0.11.0", {}),
    ],
  };

  test("lists what was applied and what is pending", () => {
    expect(upgradesText("staging", result)).toBe(
      [
        "upgrade scripts of staging   database at 3.4.0.10.0",
        "  1 earlier script",
        "  included  upgrade-2-2.1.sql",
        "  included  upgrade-3-3.1.sql",
        "  included  upgrade-4-4.1.sql",
        "  applied   upgrade-3.4.0.9.0-3.4.0.10.0.sql   2026-11-21 03:31 UTC on prod, 1.2 s",
        "  pending   upgrade-3.4.0.10.0-3.4.0.11.0.sql",
        "The next refresh applies the pending scripts. To try them on a copy: npx stagecraft upgrades staging --dry-run",
      ].join("\n"),
    );
  });

  test("tells what came of a trial, script by script", () => {
    const [applied] = [{ ...failure, seconds: 0.5, warnings: ["w"] }].map(
      ({ package: owner, from, to, name, seconds, warnings }) => ({
        ...{ package: owner, from, to, name, seconds, warnings },
      }),
    );
    const dryRun = {
      ...{ ...report, result: "failed" as const, text: "", failure },
      applied: applied ? [applied] : [],
    };
    expect(
      upgradesText("staging", { ...result, scripts: [], dryRun })
        .split("\n")
        .slice(1),
    ).toEqual([
      "dry run on a copy of timesheets, which has been removed",
      "  ✔  upgrade-1-2.sql  0.5 s  1 warning",
      "  ✘ upgrade-1-2.sql",
      "  script    intranet: upgrade-1-2.sql, line 12",
      '  cause     42703  column "c" does not exist   ALTER TABLE t DROP c',
      "  rollback  all changes of this script",
    ]);
  });

  test("says that nothing is applied while there is a problem, and nothing when there is nothing", () => {
    expect(upgradesText("dev", { ...result, scripts: [], problems: ["a problem"] })).toBe(
      "upgrade scripts of dev   database at 3.4.0.10.0\n  ✘ a problem\nNo script is applied until this is fixed.",
    );
    expect(upgradesText("dev", { ...result, scripts: [] })).toBe(
      "upgrade scripts of dev   database at 3.4.0.10.0\nNothing is pending.",
    );
  });
});
