import type { RecordedLedger } from "./ledger";
import { versionIndependentProblems, planUpgrades } from "./plan";
import type { Upgrades } from "./protocol";
import { scriptLabel } from "./script";

/** Pending upgrade scripts, as known before a refresh. */
export interface PendingPreview {
  /** Labels of the pending scripts, in order; `null` when it depends on the data. */
  readonly pending: string[] | null;
  /** Why they will be rejected. */
  readonly problems: readonly string[];
}

/**
 * Determines from a backup's manifest which scripts a refresh from it will apply. This is unknown if a query determines
 * the version of the data, or the manifest is from an agent that did not record ledgers.
 */
export function previewPending(
  { scripts, rules }: Upgrades,
  recorded: RecordedLedger | undefined,
): PendingPreview {
  if (!recorded) return { pending: null, problems: [] };
  const ledger = { ...recorded, queried: [] };
  if (rules.version !== undefined)
    return { pending: null, problems: versionIndependentProblems(scripts, ledger) };
  const { pending, problems } = planUpgrades(scripts, ledger, rules);
  return { pending: problems.length > 0 ? null : pending.map(scriptLabel), problems };
}
