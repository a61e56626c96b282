import { parseBackupId } from "../base/names";
import { isVerified, type CatalogueEntry } from "./catalogue";

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
}

/** Value of the label `job` for manual backups. */
const manualJob = "by hand";

/** The backup metrics of a server. */
export function backupMetrics(
  { catalogue, late, freeBytes }: BackupMetricsInput,
  now: Date,
): Metric[] {
  const backups = catalogue.flatMap(({ id, backup }) => {
    const time = parseBackupId(id);
    return backup && time ? [{ time, backup, job: backup.job ?? manualJob }] : [];
  });
  // The catalogue is ordered by time, so the newest backup of each job remains.
  const newest = [...new Map(backups.map((one) => [one.job, one])).values()];
  const ofJobs = (of: (one: (typeof newest)[number]) => number): Sample[] =>
    newest.map((one) => ({ labels: { job: one.job }, value: of(one) }));
  const plain = (value: number | undefined): Sample[] =>
    value === undefined ? [] : [{ labels: {}, value }];
  const seconds = (time: Date): number => time.getTime() / 1000;
  const verified = parseBackupId(catalogue.findLast(isVerified)?.id ?? "");
  const copy = catalogue.findLast(({ offsite }) => offsite?.result === "uploaded")?.offsite;
  const [databases = []] = [backups.at(-1)?.backup.databases];
  const job = ["job"];
  return [
    {
      ...{ name: "backup_last_success_timestamp_seconds", labels: job },
      help: "Time of the newest backup of a job.",
      samples: ofJobs(({ time }) => seconds(time)),
    },
    {
      ...{ name: "backup_age_seconds", labels: job },
      help: "Age of the newest backup of a job.",
      samples: ofJobs(({ time }) => (now.getTime() - time.getTime()) / 1000),
    },
    {
      ...{ name: "backup_size_bytes", labels: job },
      help: "Size of the newest backup of a job.",
      samples: ofJobs(({ backup }) => backup.bytes),
    },
    {
      ...{ name: "backup_duration_seconds", labels: job },
      help: "Duration of the newest backup of a job.",
      samples: ofJobs(({ backup }) => backup.seconds),
    },
    {
      ...{ name: "backup_database_size_bytes", labels: ["database"] },
      help: "Size of a database at the time of the newest backup.",
      samples: databases.map(({ name, bytes }) => ({ labels: { database: name }, value: bytes })),
    },
    {
      ...{ name: "backup_database_rows", labels: ["database"] },
      help: "Rows of a database in the newest backup.",
      samples: databases.map(({ name, rows }) => ({ labels: { database: name }, value: rows })),
    },
    {
      ...{ name: "backup_last_verified_timestamp_seconds", labels: [] },
      help: "Time of the newest backup that was verified by a restore.",
      samples: plain(verified && seconds(verified)),
    },
    {
      ...{ name: "backup_offsite_last_success_timestamp_seconds", labels: [] },
      help: "Time of the last upload of a backup to the off-site remote.",
      samples: plain(copy ? Date.parse(copy.at) / 1000 : undefined),
    },
    {
      ...{ name: "backups", labels: [] },
      help: "Number of backups.",
      samples: plain(backups.length),
    },
    {
      ...{ name: "backup_overdue", labels: [] },
      help: "Whether backups are overdue (1) or not (0).",
      samples: plain(late.length > 0 ? 1 : 0),
    },
    {
      ...{ name: "backup_repository_free_bytes", labels: [] },
      help: "Free bytes on the backups volume.",
      samples: plain(freeBytes ?? undefined),
    },
  ];
}
