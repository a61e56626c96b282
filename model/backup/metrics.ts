import { parseBackupId } from "../base/names";
import { isVerified, type CatalogueEntry } from "./catalogue";

/** One number, with what it is of. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A number that is told to Prometheus. */
export interface Metric {
  /** Without the prefix `stagecraft_`. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: readonly Sample[];
}

/** What is known beside the catalogue. */
export interface BackupFacts {
  readonly catalogue: readonly CatalogueEntry[];
  /** Why backups are overdue. */
  readonly late: readonly string[];
  /** Bytes free where the backups lie; `null` when that cannot be reached. */
  readonly freeBytes: number | null;
}

/** The label of backups that were asked for by hand. */
const byHand = "by hand";

/** The numbers of a server's backups. */
export function backupMetrics({ catalogue, late, freeBytes }: BackupFacts, now: Date): Metric[] {
  const made = catalogue.flatMap(({ id, backup }) => {
    const moment = parseBackupId(id);
    return backup && moment ? [{ moment, backup, job: backup.job ?? byHand }] : [];
  });
  // The catalogue is in the order of time, so the last one of each stays.
  const newest = [...new Map(made.map((one) => [one.job, one])).values()];
  const ofJobs = (of: (one: (typeof newest)[number]) => number): Sample[] =>
    newest.map((one) => ({ labels: { job: one.job }, value: of(one) }));
  const plain = (value: number | undefined): Sample[] =>
    value === undefined ? [] : [{ labels: {}, value }];
  const seconds = (moment: Date): number => moment.getTime() / 1000;
  const verified = parseBackupId(catalogue.findLast(isVerified)?.id ?? "");
  const away = catalogue.findLast(({ offsite }) => offsite?.result === "uploaded")?.offsite;
  const [databases = []] = [made.at(-1)?.backup.databases];
  const job = ["job"];
  return [
    {
      ...{ name: "backup_last_success_timestamp_seconds", labels: job },
      help: "When the newest backup of a job was made.",
      samples: ofJobs(({ moment }) => seconds(moment)),
    },
    {
      ...{ name: "backup_age_seconds", labels: job },
      help: "How old the newest backup of a job is.",
      samples: ofJobs(({ moment }) => (now.getTime() - moment.getTime()) / 1000),
    },
    {
      ...{ name: "backup_size_bytes", labels: job },
      help: "Size of the newest backup of a job.",
      samples: ofJobs(({ backup }) => backup.bytes),
    },
    {
      ...{ name: "backup_duration_seconds", labels: job },
      help: "How long the newest backup of a job took.",
      samples: ofJobs(({ backup }) => backup.seconds),
    },
    {
      ...{ name: "backup_database_size_bytes", labels: ["database"] },
      help: "Size of a database when the newest backup was made.",
      samples: databases.map(({ name, bytes }) => ({ labels: { database: name }, value: bytes })),
    },
    {
      ...{ name: "backup_database_rows", labels: ["database"] },
      help: "Rows of a database in the newest backup.",
      samples: databases.map(({ name, rows }) => ({ labels: { database: name }, value: rows })),
    },
    {
      ...{ name: "backup_last_verified_timestamp_seconds", labels: [] },
      help: "When the newest backup was made that a restore has found good.",
      samples: plain(verified && seconds(verified)),
    },
    {
      ...{ name: "backup_offsite_last_success_timestamp_seconds", labels: [] },
      help: "When the newest backup that has a copy off-site was copied there.",
      samples: plain(away ? Date.parse(away.at) / 1000 : undefined),
    },
    {
      ...{ name: "backups", labels: [] },
      help: "How many backups there are.",
      samples: plain(made.length),
    },
    {
      ...{ name: "backup_overdue", labels: [] },
      help: "Whether backups are overdue (1) or not (0).",
      samples: plain(late.length > 0 ? 1 : 0),
    },
    {
      ...{ name: "backup_repository_free_bytes", labels: [] },
      help: "Bytes free where the backups lie.",
      samples: plain(freeBytes ?? undefined),
    },
  ];
}
