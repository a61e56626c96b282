import { lastRun } from "../backup/cron";
import type { ArchiveConfig, BaseBackupResult, BaseBackupType } from "./protocol";

/** Seconds until a failed backup is retried. */
const retrySeconds = 600;

/** The type of base backup that is due, given the last one; `undefined` if none is. Missed runs are made up for. */
export function dueBaseBackup(
  { full, differential, timeZone }: ArchiveConfig,
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
