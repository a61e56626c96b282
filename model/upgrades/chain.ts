import type { GapsChoice, UpgradeRules } from "./protocol";
import { scriptLabel, type UpgradeScript } from "./script";
import { compareVersions } from "./version";

type Step = Omit<UpgradeScript, "text" | "sha256">;

/** Scripts in the order in which they are applied: packages in the given order, then by name; versions ascending. */
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

/** What keeps the scripts of one package, in order, from being one chain: each begins where the one before ends. */
export function chainProblems(scripts: readonly Step[], gaps: GapsChoice): string[] {
  const problems: string[] = [];
  scripts.slice(1).forEach((next, i) => {
    const before = scripts[i] as Step;
    if (compareVersions(before.from, next.from) === 0) {
      problems.push(
        `${scriptLabel(before)} and ${next.name} both begin at ${next.from}; one chain of versions has no branches`,
      );
    } else if (compareVersions(next.from, before.to) < 0) {
      problems.push(
        `${scriptLabel(next)} begins at ${next.from}, before ${before.name} has reached ${before.to}`,
      );
    } else problems.push(...gapProblems(next, before.to, gaps));
  });
  return problems;
}

/** What is wrong when a script begins behind the version that the data has reached by then. */
export function gapProblems(next: Step, reached: string, gaps: GapsChoice): string[] {
  if (gaps === "allowed" || compareVersions(next.from, reached) <= 0) return [];
  return [
    `no script leads from ${reached} to ${next.from}, where ${scriptLabel(next)} begins; add it, or set upgrades.gaps: allowed`,
  ];
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * What is wrong with the scripts whatever the data has been through: from the baseline on, those of each package must be
 * one chain. Where there is no baseline, only the data tells which of them matter.
 */
export function standingProblems(
  scripts: readonly Step[],
  { gaps, baseline, baselines = {} }: UpgradeRules,
): string[] {
  return [...new Set(scripts.map((script) => script.package))].sort().flatMap((name) => {
    const from = Object.hasOwn(baselines, name) ? baselines[name] : baseline;
    if (from === undefined) return [];
    const own = scripts.filter((script) => script.package === name);
    const ahead = own.filter((script) => compareVersions(script.from, from) >= 0);
    return chainProblems(orderScripts(ahead), gaps);
  });
}
