import type { BaseBackup, StanzaInfo } from "./pgbackrest-info";
import type { ArchivingPeriod } from "./archive-repository";
import { targetText, utcText, type RecoveryTarget } from "./recovery-target";

/** A time range that can be recovered, and the cluster that ran during it. */
export interface RecoveryWindow {
  readonly stanza: string;
  readonly first: Date;
  readonly last: Date;
  /** The base backups in it, oldest first; at least one. */
  readonly backups: readonly BaseBackup[];
}

/** An archived cluster of the server. */
export interface ArchivedCluster {
  readonly info: StanzaInfo;
  readonly periods: readonly ArchivingPeriod[];
  /** All transactions up to this time are archived; `undefined` if there are none. */
  readonly archivedUpTo: Date | undefined;
}

/** The time ranges that can be recovered, oldest first. There is a gap where archiving was off or WAL was discarded. */
export function recoverableWindows(clusters: readonly ArchivedCluster[]): RecoveryWindow[] {
  return clusters.flatMap(windowsOf).sort((a, b) => a.first.getTime() - b.first.getTime());
}

function windowsOf({ info, periods, archivedUpTo }: ArchivedCluster): RecoveryWindow[] {
  return periods.flatMap(({ from, to }) => {
    const end = to === null ? archivedUpTo : new Date(to);
    const backups = info.backups.filter(
      ({ stoppedAt }) =>
        stoppedAt >= floorSecond(from) && (to === null || stoppedAt < new Date(to)),
    );
    const [first] = backups;
    if (!first || !end) return [];
    // A backup finishes only after the WAL written during it is archived.
    const last = end > first.stoppedAt ? end : first.stoppedAt;
    return [{ stanza: info.stanza, first: first.stoppedAt, last, backups }];
  });
}

/** pgBackRest reports whole seconds. */
function floorSecond(time: string): Date {
  return new Date(Math.floor(Date.parse(time) / 1000) * 1000);
}

/** The backup to restore for a target, and its window. */
export interface RecoveryPlan {
  readonly window: RecoveryWindow;
  readonly backup: BaseBackup;
}

/** Chooses the backup to restore, or the reason why there is none: a sentence to follow "cannot be recovered to …:". */
export function planRecovery(
  target: RecoveryTarget,
  windows: readonly RecoveryWindow[],
): RecoveryPlan | { readonly problem: string } {
  const newest = windows.at(-1);
  if (!newest) {
    return {
      problem: "the archive has no base backup yet; check its progress with: npx stagecraft status",
    };
  }
  if (target.kind !== "time") return chosen(newest, newest.backups.at(-1));
  const { at } = target;
  // The newest one, if two clusters overlap.
  const window = windows.findLast(({ first, last }) => at > first && at <= last);
  const backup = window?.backups.findLast(({ stoppedAt }) => stoppedAt < at);
  if (!window || !backup) {
    return { problem: `it is outside of the recoverable time: ${windowsText(windows)}` };
  }
  return chosen(window, backup);
}

function chosen(window: RecoveryWindow, backup: BaseBackup | undefined): RecoveryPlan {
  if (!backup) throw new Error(`the window of ${window.stanza} has no backup`);
  return { window, backup };
}

/** `2026-11-15 01:00:03 UTC to 2026-11-21 14:05:10 UTC`, separated by `; ` if there are gaps. */
export function windowsText(windows: readonly Pick<RecoveryWindow, "first" | "last">[]): string {
  if (windows.length === 0) return "nothing yet";
  return windows.map(({ first, last }) => `${utcText(first)} to ${utcText(last)}`).join("; ");
}

/** The error for a target that cannot be recovered. */
export function unrecoverableText(server: string, target: RecoveryTarget, problem: string): string {
  return `${server} cannot be recovered to ${targetText(target)}: ${problem}`;
}
