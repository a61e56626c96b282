import { formatBytes, formatDuration, plural } from "../base/units";
import type { ArchiveConfig, ArchiveObservation } from "./protocol";

/** Size of a WAL segment. */
const segmentBytes = 16 * 2 ** 20;

/** Archiving is late after this many seconds: a minute, plus the delay on a busy machine. */
const lateSeconds = 120;

/** The observed facts that decide whether an archive is in order. */
export type ObservedArchiving = Pick<
  ArchiveObservation,
  "on" | "failure" | "problem" | "waiting" | "behindSeconds" | "lastBackup"
>;

/** Problems of a server's archive, a sentence each. */
export function archiveWarnings(observed: ObservedArchiving): string[] {
  const { on, failure, problem, waiting, behindSeconds, lastBackup } = observed;
  const warnings: string[] = [];
  if (problem !== null) warnings.push(`the archive cannot be used: ${problem}`);
  if (failure !== null) {
    const held = `${formatBytes(waiting * segmentBytes)} of WAL are waiting in PostgreSQL's volume`;
    warnings.push(`archiving fails: ${failure}; ${held}, and later changes cannot be recovered`);
  } else if (on && behindSeconds > lateSeconds) {
    warnings.push(
      `archiving is ${formatDuration(behindSeconds)} behind, with ${plural(waiting, "WAL segment")} to archive`,
    );
  }
  if (lastBackup?.result === "failed") {
    warnings.push(`the last base backup (${lastBackup.type}) failed: ${lastBackup.text}`);
  }
  return warnings;
}

/** Whether the archive is configured as desired. */
export function isArchiveUpToDate(
  { on, choice, problem }: ArchiveObservation,
  desired: ArchiveConfig | null,
): boolean {
  if (desired === null) return !on;
  return on && problem === null && choice !== null && sameConfig(choice, desired);
}

function sameConfig(one: ArchiveConfig, other: ArchiveConfig): boolean {
  const keys = Object.keys(one) as (keyof ArchiveConfig)[];
  return keys.every((key) => one[key] === other[key]);
}
