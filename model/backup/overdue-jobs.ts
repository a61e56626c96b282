import { parseBackupId } from "../base/names";
import { parseDuration } from "../base/units";
import { isRejected, type CatalogueEntry } from "./catalogue";
import { lastRun } from "./cron";
import type { BackupJob } from "./job";

/** Seconds after a scheduled run until its backup is overdue, unless the job's time limit is shorter. */
const allowanceSeconds = 2 * 3600;

/** The backup jobs of a server that are in effect. */
export interface ActiveJobs {
  /** Backup jobs by name. */
  readonly jobs: Readonly<Record<string, BackupJob>>;
  /** When they were applied; runs scheduled earlier do not count. */
  readonly since: Date;
}

/** The overdue jobs, a sentence each; empty if there are none. */
export function overdueJobs(
  { jobs, since }: ActiveJobs,
  catalogue: readonly CatalogueEntry[],
  now: Date,
): string[] {
  return Object.entries(jobs).flatMap(([name, job]) => {
    const time = latestDueRun(job, since, now);
    if (time === undefined || hasBackupSince(catalogue, name, time)) return [];
    return [`no backup of job ${name} since its run of ${timeText(time)}`];
  });
}

/** The last run whose backup must exist by now. */
function latestDueRun(job: BackupJob, since: Date, now: Date): Date | undefined {
  const allowance = Math.min(parseDuration(job.timeLimit) ?? Infinity, allowanceSeconds);
  return lastRun(job, since, new Date(now.getTime() - allowance * 1000));
}

/** Whether the job, or a manual backup, has made a genuine backup since that time. */
function hasBackupSince(catalogue: readonly CatalogueEntry[], job: string, time: Date): boolean {
  return catalogue.some((entry) => {
    const { id, backup } = entry;
    const createdAt = parseBackupId(id);
    const isGenuine = backup !== null && !isRejected(entry);
    const isOurs = isGenuine && (backup.job === job || backup.job === null);
    return isOurs && createdAt !== undefined && createdAt >= time;
  });
}

const timeText = (time: Date): string => `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
