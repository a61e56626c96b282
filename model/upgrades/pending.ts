import type { RecordedLedger } from "./ledger";
import { certainProblems, planUpgrades } from "./plan";
import type { Upgrades } from "./protocol";
import { scriptLabel } from "./script";

/** What is known of upgrade scripts before the data is there. */
export interface KnownPending {
  /** Those that will be applied, in order; `null` where only the data itself can tell. */
  readonly pending: string[] | null;
  /** Why they will be refused. */
  readonly problems: readonly string[];
}

/**
 * Tells from a backup's manifest what a refresh to it will apply. Where a query tells the data's version, or the manifest
 * is of an agent that did not write ledgers down, the data itself must be there first.
 */
export function pendingOf(
  { scripts, rules }: Upgrades,
  recorded: RecordedLedger | undefined,
): KnownPending {
  if (!recorded) return { pending: null, problems: [] };
  const ledger = { ...recorded, told: [] };
  if (rules.version !== undefined)
    return { pending: null, problems: certainProblems(scripts, ledger) };
  const { pending, problems } = planUpgrades(scripts, ledger, rules);
  return { pending: problems.length > 0 ? null : pending.map(scriptLabel), problems };
}
