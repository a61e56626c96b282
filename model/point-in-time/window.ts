import type { BaseBackup, StanzaInfo } from "./info";
import type { Period } from "./repository";
import { targetText, utcText, type Target } from "./target";

/** A time of which every moment can be recovered, and the cluster that was the server then. */
export interface Window {
  readonly stanza: string;
  readonly first: Date;
  readonly last: Date;
  /** The backups in it, oldest first; at least one. */
  readonly backups: readonly BaseBackup[];
}

/** A cluster of the server: what the archive has of it, and when it was archiving. */
export interface ArchivedCluster {
  readonly info: StanzaInfo;
  readonly periods: readonly Period[];
  /** Up to when all its changes are in the archive; `undefined` when nothing is. */
  readonly archivedUpTo: Date | undefined;
}

/** What can be recovered, oldest first. Where archiving was off, or a part of the log was let go, there is a gap. */
export function recoverableWindows(clusters: readonly ArchivedCluster[]): Window[] {
  return clusters.flatMap(windowsOf).sort((a, b) => a.first.getTime() - b.first.getTime());
}

function windowsOf({ info, periods, archivedUpTo }: ArchivedCluster): Window[] {
  return periods.flatMap(({ from, to }) => {
    const end = to === null ? archivedUpTo : new Date(to);
    const backups = info.backups.filter(
      ({ stoppedAt }) =>
        stoppedAt >= floorSecond(from) && (to === null || stoppedAt < new Date(to)),
    );
    const [first] = backups;
    if (!first || !end) return [];
    // A backup is not done before what was written during it is archived.
    const last = end > first.stoppedAt ? end : first.stoppedAt;
    return [{ stanza: info.stanza, first: first.stoppedAt, last, backups }];
  });
}

/** pgBackRest tells of whole seconds. */
function floorSecond(moment: string): Date {
  return new Date(Math.floor(Date.parse(moment) / 1000) * 1000);
}

/** From which backup of which window a target is reached. */
export interface RecoveryPlan {
  readonly window: Window;
  readonly backup: BaseBackup;
}

/** Chooses the backup to begin with, or says why there is none; the sentence that follows "cannot be recovered to …:". */
export function planRecovery(
  target: Target,
  windows: readonly Window[],
): RecoveryPlan | { readonly problem: string } {
  const newest = windows.at(-1);
  if (!newest) {
    return { problem: "the archive has no base backup yet; npx stagecraft status tells of it" };
  }
  if (target.kind !== "time") return chosen(newest, newest.backups.at(-1));
  const { at } = target;
  // The newest first, where two clusters overlap.
  const window = windows.findLast(({ first, last }) => at > first && at <= last);
  const backup = window?.backups.findLast(({ stoppedAt }) => stoppedAt < at);
  if (!window || !backup) {
    return { problem: `it lies outside of what can be recovered: ${windowsText(windows)}` };
  }
  return chosen(window, backup);
}

function chosen(window: Window, backup: BaseBackup | undefined): RecoveryPlan {
  if (!backup) throw new Error(`the window of ${window.stanza} has no backup`);
  return { window, backup };
}

/** `2026-11-15 01:00:03 UTC to 2026-11-21 14:05:10 UTC`, and so on where there are gaps. */
export function windowsText(windows: readonly Pick<Window, "first" | "last">[]): string {
  if (windows.length === 0) return "nothing yet";
  return windows.map(({ first, last }) => `${utcText(first)} to ${utcText(last)}`).join("; ");
}

/** The refusal of a target. */
export function refusalText(server: string, target: Target, problem: string): string {
  return `${server} cannot be recovered to ${targetText(target)}: ${problem}`;
}
