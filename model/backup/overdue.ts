import { parseBackupId } from "../base/names";
import { parseDuration } from "../base/units";
import type { CatalogueEntry } from "./catalogue";
import { lastRun } from "./cron";
import type { BackupJob } from "./job";

/** Seconds after the moment of a run in which its backup must be there, where the job's limit is not shorter. */
const allowanceSeconds = 2 * 3600;

/** What a server's backups are measured by. */
export interface Promised {
  /** Jobs that make backups, by name. */
  readonly jobs: Readonly<Record<string, BackupJob>>;
  /** When they were put in force: what should have run before does not count. */
  readonly since: Date;
}

/** The jobs whose backup is overdue, a sentence each; none when all is well. */
export function overdueJobs(
  { jobs, since }: Promised,
  catalogue: readonly CatalogueEntry[],
  now: Date,
): string[] {
  return Object.entries(jobs).flatMap(([name, job]) => {
    const moment = dueMoment(job, since, now);
    if (moment === undefined || hasBackupSince(catalogue, name, moment)) return [];
    return [`no backup of job ${name} since its run of ${momentText(moment)}`];
  });
}

/** The last run whose backup must be there by now. */
function dueMoment(job: BackupJob, since: Date, now: Date): Date | undefined {
  const allowance = Math.min(parseDuration(job.timeLimit) ?? Infinity, allowanceSeconds);
  return lastRun(job, since, new Date(now.getTime() - allowance * 1000));
}

/** A backup that was asked for by hand is as good as the job's own. */
function hasBackupSince(catalogue: readonly CatalogueEntry[], job: string, moment: Date): boolean {
  return catalogue.some(({ id, backup }) => {
    const made = parseBackupId(id);
    const isOurs = backup !== null && (backup.job === job || backup.job === null);
    return isOurs && made !== undefined && made >= moment;
  });
}

const momentText = (moment: Date): string =>
  `${moment.toISOString().slice(0, 16).replace("T", " ")} UTC`;
