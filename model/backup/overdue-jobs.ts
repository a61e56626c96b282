import { parseBackupId } from "../base/names";
import { backedUpNames } from "./backed-up-databases";
import { isRejected, type BackupSummary, type CatalogueEntry } from "./catalogue";
import { lastDueRun, type BegunRuns } from "./due-backups";
import type { BackupJob } from "./job";

/** The backup jobs of a server that are in effect. */
export interface ActiveJobs {
  /** Backup jobs by name. */
  readonly jobs: Readonly<Record<string, BackupJob>>;
  /** When they were applied; runs scheduled earlier do not count. */
  readonly since: Date;
  /** The runs that have begun. @default none */
  readonly begun?: BegunRuns | undefined;
  /** Whether each backup is to be copied off-site. @default false */
  readonly offsite?: boolean | undefined;
}

/** The overdue jobs, a sentence each; empty if there are none. */
export function overdueJobs(
  { jobs, since, begun, offsite = false }: ActiveJobs,
  catalogue: readonly CatalogueEntry[],
  now: Date,
): string[] {
  return Object.entries(jobs).flatMap(([name, timing]) => {
    const time = lastDueRun({ key: `backup/${name}`, timing, since, begun }, now);
    if (time === undefined) return [];
    const made = backupsOf(name, timing, catalogue).filter(({ id }) => {
      const createdAt = parseBackupId(id);
      return createdAt !== undefined && createdAt >= time;
    });
    const run = `since its run of ${timeText(time)}`;
    if (made.length === 0) return [`no backup of job ${name} ${run}`];
    if (!offsite || made.some(({ offsite }) => offsite?.result === "uploaded")) return [];
    return [`no off-site copy of job ${name} ${run}`];
  });
}

/** The genuine backups that a job has made, and manual ones that contain all of its databases. */
function backupsOf(
  name: string,
  { databases }: BackupJob,
  catalogue: readonly CatalogueEntry[],
): CatalogueEntry[] {
  const genuine = catalogue.filter((entry) => entry.backup !== null && !isRejected(entry));
  const own = genuine.findLast(({ backup }) => backup?.job === name)?.backup;
  const wanted = databases ?? (own ? backedUpNames(own) : []);
  const isComplete = (backup: BackupSummary): boolean => {
    if (databases === undefined && backup.allDatabases !== undefined) return backup.allDatabases;
    const found = backedUpNames(backup);
    return wanted.every((database) => found.includes(database));
  };
  return genuine.filter(
    ({ backup }) =>
      backup !== null && (backup.job === name || (backup.job === null && isComplete(backup))),
  );
}

/** A time in a sentence: `2026-11-22 03:29 UTC`. */
export const timeText = (time: Date): string =>
  `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
