import { formatBytes, formatDuration, plural } from "../base/units";
import type { ArchiveChoice, ArchiveObservation } from "./protocol";

/** PostgreSQL's log comes in pieces of this size. */
const segmentBytes = 16 * 2 ** 20;

/** So many seconds behind is late: a minute, and what a busy machine may take. */
const lateSeconds = 120;

/** What is not as it should be about a server's archive, a sentence each. */
export function archiveWarnings(seen: ArchiveObservation): string[] {
  const { on, failure, problem, waiting, behindSeconds, lastBackup } = seen;
  const warnings: string[] = [];
  if (problem !== null) warnings.push(`the archive cannot be used: ${problem}`);
  if (failure !== null) {
    const held = `${formatBytes(waiting * segmentBytes)} of the log wait in PostgreSQL's volume`;
    warnings.push(`archiving fails: ${failure}; ${held}, and nothing newer can be recovered`);
  } else if (on && behindSeconds > lateSeconds) {
    warnings.push(
      `archiving is ${formatDuration(behindSeconds)} behind, with ${plural(waiting, "segment")} of the log to go`,
    );
  }
  if (lastBackup?.result === "failed") {
    warnings.push(`the last base backup (${lastBackup.type}) failed: ${lastBackup.text}`);
  }
  return warnings;
}

/** Whether the archive is as it was asked for. */
export function isArchiveAsWanted(
  { on, choice, problem }: ArchiveObservation,
  wanted: ArchiveChoice | null,
): boolean {
  if (wanted === null) return !on;
  return on && problem === null && choice !== null && sameChoice(choice, wanted);
}

function sameChoice(one: ArchiveChoice, other: ArchiveChoice): boolean {
  const keys = Object.keys(one) as (keyof ArchiveChoice)[];
  return keys.every((key) => one[key] === other[key]);
}
