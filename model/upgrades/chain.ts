import type { GapsChoice, UpgradeRules } from "./protocol";
import { scriptLabel, type UpgradeScript } from "./script";
import { compareVersions } from "./version";

type Step = Omit<UpgradeScript, "text" | "sha256">;

/** Sorts scripts in the order of application: packages in the given order, then by name; versions ascending. */
export function orderScripts<T extends Step>(
  scripts: readonly T[],
  order: readonly string[] = [],
): T[] {
  const rank = (name: string): number => {
    const at = order.indexOf(name);
    return at < 0 ? order.length : at;
  };
  return [...scripts].sort(
    (a, b) =>
      rank(a.package) - rank(b.package) ||
      compareTexts(a.package, b.package) ||
      compareVersions(a.from, b.from) ||
      compareVersions(a.to, b.to),
  );
}

/** Checks that the sorted scripts of one package form a chain, in which each begins at the version where the previous one ends. */
export function chainProblems(scripts: readonly Step[], gaps: GapsChoice): string[] {
  const problems: string[] = [];
  scripts.slice(1).forEach((next, i) => {
    const previous = scripts[i] as Step;
    if (compareVersions(previous.from, next.from) === 0) {
      problems.push(
        `${scriptLabel(previous)} and ${next.name} both begin at ${next.from}; remove one of them, a chain of versions has no branches`,
      );
    } else if (compareVersions(next.from, previous.to) < 0) {
      problems.push(
        `${scriptLabel(next)} begins at ${next.from}, but ${previous.name} before it ends at ${previous.to}`,
      );
    } else problems.push(...gapProblems(next, previous.to, gaps));
  });
  return problems;
}

/** The problem of a script that begins at a higher version than the data has by then, unless gaps are allowed. */
export function gapProblems(next: Step, reached: string, gaps: GapsChoice): string[] {
  if (gaps === "allowed" || compareVersions(next.from, reached) <= 0) return [];
  return [
    `there is no script from ${reached} to ${next.from}, where ${scriptLabel(next)} begins; add it, or set upgrades.gaps: allowed`,
  ];
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Problems of the scripts that do not depend on the data: from the baseline on, the scripts of each package must form a
 * chain. Without a baseline, it depends on the data which scripts matter.
 */
export function baselineProblems(
  scripts: readonly Step[],
  { gaps, baseline, baselines = {} }: UpgradeRules,
): string[] {
  return [...new Set(scripts.map((script) => script.package))].sort().flatMap((name) => {
    const from = Object.hasOwn(baselines, name) ? baselines[name] : baseline;
    if (from === undefined) return [];
    const own = scripts.filter((script) => script.package === name);
    const afterBaseline = own.filter((script) => compareVersions(script.from, from) >= 0);
    return chainProblems(orderScripts(afterBaseline), gaps);
  });
}
