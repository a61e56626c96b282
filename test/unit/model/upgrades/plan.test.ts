import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adoptDbmate,
  adoptFlyway,
  adoptGolangMigrate,
  adoptNodePgMigrate,
} from "../../../../model/upgrades/adopt";
import { chainProblems, orderScripts } from "../../../../model/upgrades/chain";
import { emptyLedger, type Ledger, type LedgerEntry } from "../../../../model/upgrades/ledger";
import { planUpgrades } from "../../../../model/upgrades/plan";
import type { UpgradeRules } from "../../../../model/upgrades/protocol";
import type { UpgradeScript } from "../../../../model/upgrades/script";
import { compareVersions } from "../../../../model/upgrades/version";

const script = (from: string, to: string, owner = "application", text = ""): UpgradeScript => ({
  ...{ package: owner, from, to, text },
  name: `upgrade-${from}-${to}.sql`,
  sha256: text.padEnd(64, "0"),
});
const applied = (of: UpgradeScript, sha256 = of.sha256): LedgerEntry => {
  const { package: owner, from, to, name } = of;
  const appliedAt = "2026-11-21T03:31:00.000Z";
  return { package: owner, from, to, name, sha256, appliedAt, appliedBy: "prod", seconds: 1.2 };
};
const rules = (more: Partial<UpgradeRules> = {}): UpgradeRules => ({ gaps: "refused", ...more });
const ledger = (more: Partial<Ledger>): Ledger => ({ ...emptyLedger, ...more });

const nine = script("3.4.0.9.0", "3.4.0.10.0");
const ten = script("3.4.0.10.0", "3.4.0.11.0");
const eleven = script("3.4.0.11.0", "3.5");
const all = [eleven, nine, ten];
const names = (scripts: readonly { name: string }[]) => scripts.map(({ name }) => name);
const states = (plan: ReturnType<typeof planUpgrades>) =>
  plan.states.map(({ from, state }) => `${from} ${state}`);

describe("what is pending", () => {
  test("begins at the baseline where the data has no ledger", () => {
    const plan = planUpgrades(all, emptyLedger, rules({ baseline: "3.4.0.10" }));
    expect(names(plan.pending)).toEqual([ten.name, eleven.name]);
    expect(states(plan)).toEqual(["3.4.0.9.0 before", "3.4.0.10.0 pending", "3.4.0.11.0 pending"]);
    expect(plan.versions).toEqual([
      { package: "application", version: "3.4.0.10", source: "baseline" },
    ]);
    expect([plan.problems, plan.notes]).toEqual([[], []]);
  });

  test("is what the ledger has not got", () => {
    const plan = planUpgrades(all, ledger({ entries: [applied(nine), applied(ten)] }), rules());
    expect(names(plan.pending)).toEqual([eleven.name]);
    expect(plan.states[0]).toEqual({
      ...{ package: "application", from: "3.4.0.9.0", to: "3.4.0.10.0", name: nine.name },
      ...{
        state: "applied",
        appliedAt: "2026-11-21T03:31:00.000Z",
        appliedBy: "prod",
        seconds: 1.2,
      },
    });
  });

  test("a ledger counts more than the baseline, which is for data without one", () => {
    const plan = planUpgrades(
      all,
      ledger({ entries: [applied(nine), applied(ten)] }),
      rules({ baseline: "3.4.0.9.0" }),
    );
    expect(names(plan.pending)).toEqual([eleven.name]);
  });

  test("the data's own word counts where it is ahead of the ledger", () => {
    const plan = planUpgrades(
      all,
      ledger({ entries: [applied(nine)], queried: [{ version: "3.4.0.11" }] }),
      rules(),
    );
    expect(names(plan.pending)).toEqual([eleven.name]);
    expect(plan.versions).toMatchObject([{ version: "3.4.0.11", source: "query" }]);
  });

  test("is nothing for data that is ahead of the code, which is told", () => {
    const plan = planUpgrades([nine], ledger({ entries: [applied(nine), applied(ten)] }), rules());
    expect(plan.pending).toEqual([]);
    expect(plan.problems).toEqual([]);
    expect(plan.notes).toEqual([
      "upgrade-3.4.0.10.0-3.4.0.11.0.sql was applied on prod, but is missing in this code",
    ]);
    expect(states(plan)).toEqual(["3.4.0.9.0 applied", "3.4.0.10.0 unknown"]);
  });

  test("packages have versions of their own, and come in the given order", () => {
    const scripts = [script("1", "2", "a"), script("5", "6", "kernel"), script("8", "9", "b")];
    const plan = planUpgrades(
      scripts,
      ledger({
        queried: [
          { package: "a", version: "1" },
          { package: "kernel", version: "5" },
        ],
      }),
      rules({ order: ["kernel"], baselines: { b: "9" } }),
    );
    expect(plan.problems).toEqual([]);
    expect(plan.pending.map((one) => one.package)).toEqual(["kernel", "a"]);
    expect(plan.versions).toEqual([
      { package: "kernel", version: "5", source: "query" },
      { package: "a", version: "1", source: "query" },
      { package: "b", version: "9", source: "baseline" },
    ]);
  });

  test("no scripts, nothing to do, whatever the data knows", () => {
    expect(planUpgrades([], emptyLedger, rules())).toEqual({
      pending: [],
      states: [],
      versions: [],
      problems: [],
      notes: [],
    });
  });
});

describe("nothing is applied", () => {
  const problems = (
    scripts: readonly UpgradeScript[],
    data: Partial<Ledger>,
    more: Partial<UpgradeRules> = {},
  ) => {
    const plan = planUpgrades(scripts, ledger(data), rules(more));
    expect(plan.pending).toEqual([]);
    return plan.problems;
  };

  test("to data that does not tell its version", () => {
    expect(problems(all, {})).toEqual([
      'the version of application in the data is unknown; set upgrades.baseline to the version of data without a ledger, e.g. "3.4.0.9.0", or upgrades.version to a query for it',
    ]);
  });

  test("when an applied script was edited", () => {
    expect(problems(all, { entries: [applied(nine, "f".repeat(64))] })).toEqual([
      "upgrade-3.4.0.9.0-3.4.0.10.0.sql was changed after it was applied on prod at 2026-11-21T03:31:00.000Z (SHA-256 then ffffffffffff…, now 000000000000…); restore its contents, and write a new script for the change",
    ]);
  });

  test("across a gap, unless gaps are allowed", () => {
    expect(problems([nine, eleven], {}, { baseline: "3.4.0.9" })).toEqual([
      "there is no script from 3.4.0.10.0 to 3.4.0.11.0, where upgrade-3.4.0.11.0-3.5.sql begins; add it, or set upgrades.gaps: allowed",
    ]);
    expect(problems([eleven], {}, { baseline: "3.4.0.9" })).toEqual([
      "there is no script from 3.4.0.9 to 3.4.0.11.0, where upgrade-3.4.0.11.0-3.5.sql begins; add it, or set upgrades.gaps: allowed",
    ]);
    const plan = planUpgrades(
      [nine, eleven],
      emptyLedger,
      rules({ baseline: "3.4", gaps: "allowed" }),
    );
    expect(names(plan.pending)).toEqual([nine.name, eleven.name]);
  });

  test("when two scripts begin at the same version, or one before the other has ended", () => {
    const branch = script("3.4.0.9.0", "3.4.0.9.5");
    expect(problems([nine, branch], {}, { baseline: "3.4.0.9" })).toEqual([
      "upgrade-3.4.0.9.0-3.4.0.9.5.sql and upgrade-3.4.0.9.0-3.4.0.10.0.sql both begin at 3.4.0.9.0; remove one of them, a chain of versions has no branches",
    ]);
    const inside = script("3.4.0.9.5", "3.4.0.11.0", "intranet");
    expect(
      problems(
        [script("3.4.0.9.0", "3.4.0.10.0", "intranet"), inside],
        {},
        { baseline: "3.4.0.9" },
      ),
    ).toEqual([
      "intranet: upgrade-3.4.0.9.5-3.4.0.11.0.sql begins at 3.4.0.9.5, but upgrade-3.4.0.9.0-3.4.0.10.0.sql before it ends at 3.4.0.10.0",
    ]);
  });

  test("when the data is in the middle of a script", () => {
    expect(problems(all, {}, { baseline: "3.4.0.9.5" })).toEqual([
      "the data is at 3.4.0.9.5, in the middle of upgrade-3.4.0.9.0-3.4.0.10.0.sql, which cannot be applied in part",
    ]);
  });

  test("when a script was slipped in behind the data", () => {
    expect(problems(all, { entries: [applied(nine), applied(eleven)] })).toEqual([
      "upgrade-3.4.0.10.0-3.4.0.11.0.sql was never applied, and the data is already at 3.5; rename the script to a higher version",
    ]);
  });

  test("when what is wrong concerns one package only", () => {
    const scripts = [script("1", "2", "a"), script("1", "2", "b")];
    expect(problems(scripts, {}, { baselines: { a: "1" } })).toHaveLength(1);
  });

  test("but scripts that lie before the data may be as they like", () => {
    const old = [script("1", "2"), script("1", "3"), script("2.5", "3.4")];
    const plan = planUpgrades([...old, ...all], emptyLedger, rules({ baseline: "3.4.0.9" }));
    expect(plan.problems).toEqual([]);
    expect(names(plan.pending)).toEqual(names([nine, ten, eleven]));
  });
});

describe("another tool's ledger", () => {
  test("Flyway: its version is the data's; what was undone or has no version does not count", () => {
    const flyway = [
      { version: "3.4.0.9.0", type: "BASELINE", script: "<< baseline >>", success: true },
      { version: "3_4_0_10_0", type: "SQL", script: "V3_4_0_10_0__x.sql", success: true },
      { version: null, type: "SQL", script: "R__views.sql", success: true },
      { version: "3.4.0.11.0", type: "SQL", script: "V3.4.0.11.0__y.sql", success: true },
      { version: "3.4.0.11.0", type: "UNDO_SQL", script: "U3.4.0.11.0__y.sql", success: true },
    ];
    const plan = planUpgrades(all, ledger({ adopted: adoptFlyway(flyway) }), rules());
    expect(plan.versions).toMatchObject([{ version: "3.4.0.10.0", source: "flyway" }]);
    expect(names(plan.pending)).toEqual([ten.name, eleven.name]);
  });

  test("one that failed half-way stops everything", () => {
    const flyway = [{ version: "2", type: "SQL", script: "V2__x.sql", success: false }];
    const golang = [{ version: "7", dirty: true }];
    const adopted = [...adoptFlyway(flyway), ...adoptGolangMigrate(golang)];
    expect(planUpgrades(all, ledger({ adopted }), rules({ baseline: "3.4.0.9" })).problems).toEqual(
      [
        "migration V2__x of flyway failed halfway; repair it with flyway on the source server first",
        "migration 7 of golang-migrate failed halfway; repair it with golang-migrate on the source server first",
      ],
    );
  });

  test("dbmate and golang-migrate: versions are moments or numbers", () => {
    const scripts = [
      script("20260101000000", "20260201000000"),
      script("20260201000000", "20260301000000"),
    ];
    const rows = [{ version: "20251101000000" }, { version: "20260201000000" }];
    const byDbmate = planUpgrades(scripts, ledger({ adopted: adoptDbmate(rows) }), rules());
    expect(names(byDbmate.pending)).toEqual([scripts[1]?.name]);
    const last = adoptGolangMigrate([{ version: "20260101000000", dirty: false }]);
    expect(planUpgrades(scripts, ledger({ adopted: last }), rules()).pending).toHaveLength(2);
  });

  test("one that keeps names of scripts tells by them, for several packages too", () => {
    const scripts = [script("1", "2", "a"), script("2", "3", "a"), script("8", "9", "b")];
    const adopted = adoptNodePgMigrate([{ name: "upgrade-1-2" }, { name: "1614953000000_other" }]);
    const plan = planUpgrades(scripts, ledger({ adopted }), rules({ baselines: { b: "8" } }));
    expect(plan.problems).toEqual([]);
    expect(states(plan)).toEqual(["1 adopted", "2 pending", "8 pending"]);
    expect(plan.versions[0]).toEqual({ package: "a", version: "2", source: "node-pg-migrate" });
  });
});

describe("whatever the scripts and the ledger are", () => {
  const step = fc
    .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 3 }))
    .map(([from, length]) => script(String(from), String(from + length)));
  const steps = fc.uniqueArray(step, { selector: ({ name }) => name, maxLength: 6 });

  test("what is pending is one chain behind all that was applied", () => {
    fc.assert(
      fc.property(
        steps,
        fc.subarray([0, 1, 2, 3, 4, 5]),
        fc.integer({ min: 1, max: 9 }),
        (scripts, some, at) => {
          const entries = scripts.filter((_, i) => some.includes(i)).map((one) => applied(one));
          const plan = planUpgrades(scripts, ledger({ entries }), rules({ baseline: String(at) }));
          const { pending } = plan;
          expect(chainProblems(pending, "refused")).toEqual([]);
          for (const one of pending) {
            expect(entries.some(({ name }) => name === one.name)).toBe(false);
            for (const { to } of entries)
              expect(compareVersions(one.from, to)).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("once applied, nothing is pending", () => {
    fc.assert(
      fc.property(steps, (scripts) => {
        const first = planUpgrades(scripts, emptyLedger, rules({ baseline: "1", gaps: "allowed" }));
        const entries = first.pending.map((one) => applied(one));
        const again = planUpgrades(
          scripts,
          ledger({ entries }),
          rules({ baseline: "1", gaps: "allowed" }),
        );
        expect(again.pending).toEqual([]);
      }),
    );
  });

  test("the order does not depend on the order of the files", () => {
    fc.assert(
      fc.property(steps, fc.func(fc.integer()), (scripts, random) => {
        const shuffled = [...scripts].sort((a, b) => random(a.name) - random(b.name));
        expect(names(orderScripts(shuffled))).toEqual(names(orderScripts(scripts)));
      }),
    );
  });
});
