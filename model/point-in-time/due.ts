import { lastRun } from "../backup/cron";
import type { ArchiveChoice, BaseBackupResult, BaseBackupType } from "./protocol";

/** A backup that failed is tried again so much later. */
const retrySeconds = 600;

/** Which base backup is due, by what became of the last one; a run that was missed is made up for. */
export function dueBaseBackup(
  { full, differential, timeZone }: ArchiveChoice,
  last: BaseBackupResult,
  now: Date,
): BaseBackupType | undefined {
  const since = new Date(last.startedAt);
  if (last.result === "failed") {
    return now.getTime() - since.getTime() >= retrySeconds * 1000 ? last.type : undefined;
  }
  if (lastRun({ schedule: full, timeZone }, since, now)) return "full";
  return lastRun({ schedule: differential, timeZone }, since, now) && "differential";
}
