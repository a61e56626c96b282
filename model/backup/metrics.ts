import { parseBackupId } from "../base/names";
import { newestVerifiedByDatabase } from "./backed-up-databases";
import { isRejected, isVerified, type CatalogueEntry } from "./catalogue";

/** A sample of a metric, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric exported to Prometheus. */
export interface Metric {
  /** Name without the prefix `stagecraft_`. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: readonly Sample[];
}

/** Source of the backup metrics. */
export interface BackupMetricsInput {
  readonly catalogue: readonly CatalogueEntry[];
  /** Why backups are overdue; empty if they are not. */
  readonly late: readonly string[];
  /** Free bytes on the backups volume; `null` if it cannot be read. */
  readonly freeBytes: number | null;
  /** Names of the backup jobs of the schedule. @default all that have made a backup */
  readonly jobs?: readonly string[] | undefined;
}

/** Value of the label `job` for manual backups. */
const manualJob = "by hand";

/** The backup metrics of a server. */
export function backupMetrics(
  { catalogue, late, freeBytes, jobs }: BackupMetricsInput,
  now: Date,
): Metric[] {
  const genuine = catalogue.filter((entry) => !isRejected(entry));
  const backups = genuine.flatMap(({ id, backup }) => {
    const time = parseBackupId(id);
    return backup && time ? [{ time, backup, job: backup.job ?? manualJob }] : [];
  });
  // The catalogue is ordered by time, so the newest backup of each job remains.
  const isShown = (job: string): boolean => job === manualJob || (jobs?.includes(job) ?? true);
  const newest = [...new Map(backups.map((entry) => [entry.job, entry])).values()].filter(
    ({ job }) => isShown(job),
  );
  const ofJobs = (of: (entry: (typeof newest)[number]) => number): Sample[] =>
    newest.map((entry) => ({ labels: { job: entry.job }, value: of(entry) }));
  const plain = (value: number | undefined): Sample[] =>
    value === undefined ? [] : [{ labels: {}, value }];
  const seconds = (time: Date): number => time.getTime() / 1000;
  const verified = parseBackupId(catalogue.findLast(isVerified)?.id ?? "");
  const copy = catalogue.findLast(({ offsite }) => offsite?.result === "uploaded")?.offsite;
  // Another job may have made a newer backup of other databases.
  const databases = [
    ...new Map(
      backups.flatMap(({ backup }) =>
        backup.databases.map((database) => [database.name, database]),
      ),
    ).values(),
  ];
  const verifiedOf = newestVerifiedByDatabase(catalogue, now);
  const failed = catalogue.flatMap(({ attempt }) =>
    attempt?.result === "failed" ? [attempt.job ?? manualJob] : [],
  );
  const failedJobs = [...new Set([...(jobs ?? []), ...failed])].filter(isShown);
  return [
    metric(
      "backup_last_success_timestamp_seconds",
      "Time of the newest backup of a job.",
      ["job"],
      ofJobs(({ time }) => seconds(time)),
    ),
    metric(
      "backup_age_seconds",
      "Age of the newest backup of a job.",
      ["job"],
      ofJobs(({ time }) => (now.getTime() - time.getTime()) / 1000),
    ),
    metric(
      "backup_size_bytes",
      "Size of the newest backup of a job.",
      ["job"],
      ofJobs(({ backup }) => backup.bytes),
    ),
    metric(
      "backup_duration_seconds",
      "Duration of the newest backup of a job.",
      ["job"],
      ofJobs(({ backup }) => backup.seconds),
    ),
    metric(
      "backup_database_size_bytes",
      "Size of a database at the time of the newest backup.",
      ["database"],
      databases.map(({ name, bytes }) => ({ labels: { database: name }, value: bytes })),
    ),
    metric(
      "backup_database_rows",
      "Rows of a database in the newest backup.",
      ["database"],
      databases.map(({ name, rows }) => ({ labels: { database: name }, value: rows })),
    ),
    metric(
      "backup_last_verified_timestamp_seconds",
      "Time of the newest backup that was verified by a restore.",
      [],
      plain(verified && seconds(verified)),
    ),
    metric(
      "backup_database_last_verified_timestamp_seconds",
      "Time of the newest backup of a database that was verified by a restore.",
      ["database"],
      databases.flatMap(({ name }) => {
        const time = parseBackupId(verifiedOf.get(name) ?? "");
        return time ? [{ labels: { database: name }, value: seconds(time) }] : [];
      }),
    ),
    metric(
      "backup_failed_attempts",
      "Number of failed attempts of a job that are recorded.",
      ["job"],
      failedJobs.map((job) => ({
        labels: { job },
        value: failed.filter((one) => one === job).length,
      })),
    ),
    metric(
      "backup_offsite_last_success_timestamp_seconds",
      "Time of the last upload of a backup to the off-site remote.",
      [],
      plain(copy ? Date.parse(copy.at) / 1000 : undefined),
    ),
    metric("backups", "Number of backups.", [], plain(backups.length)),
    metric(
      "backup_overdue",
      "Whether backups are overdue (1) or not (0).",
      [],
      plain(late.length > 0 ? 1 : 0),
    ),
    metric(
      "backup_repository_free_bytes",
      "Free bytes on the backups volume.",
      [],
      plain(freeBytes ?? undefined),
    ),
  ];
}

function metric(
  name: string,
  help: string,
  labels: readonly string[],
  samples: readonly Sample[],
): Metric {
  return { name, help, labels, samples };
}
