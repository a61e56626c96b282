import { isRejected, isVerified, type CatalogueEntry } from "./catalogue";
import { formatBackupId, parseBackupId, type BackupId } from "../base/names";

/** A database that is in backups and missing on the server. */
export interface MissingDatabase {
  readonly database: string;
  /** The newest backup that has it. */
  readonly backup: BackupId;
}

/** Jobs whose newest backup is so much older than the newest of all, in days, no longer run. */
const livingJobDays = 8;

/**
 * The databases that are in the newest backup of a job and missing on the server, by name. A database that was dropped on purpose
 * is among them until the next backup of its job. `postgres` is on every server.
 */
export function missingDatabases(
  catalogue: readonly CatalogueEntry[],
  present: ReadonlySet<string>,
  now: Date,
): MissingDatabase[] {
  const backups = goodBackups(catalogue, now);
  const newest = parseBackupId(backups.at(-1)?.id ?? "");
  if (!newest) return [];
  const oldest = formatBackupId(new Date(newest.getTime() - livingJobDays * 86_400_000));
  const newestOfJobs = new Map(
    backups.filter(({ id }) => id > oldest).map((entry) => [entry.backup?.job ?? null, entry]),
  );
  const found = new Map<string, BackupId>();
  for (const { id, backup } of [...newestOfJobs.values()].sort((a, b) => (a.id < b.id ? -1 : 1)))
    for (const { name } of backup?.databases ?? [])
      if (name !== "postgres" && !present.has(name)) found.set(name, id);
  return [...found]
    .map(([database, backup]) => ({ database, backup }))
    .sort((a, b) => (a.database < b.database ? -1 : 1));
}

/** The newest backup that has a database; without `acceptUnverified` the newest verified one. */
export function newestBackupOf(
  catalogue: readonly CatalogueEntry[],
  database: string,
  acceptUnverified: boolean,
  now: Date,
): BackupId | undefined {
  return goodBackups(catalogue, now).findLast(
    (entry) =>
      (acceptUnverified || isVerified(entry)) &&
      entry.backup?.databases.some(({ name }) => name === database) === true,
  )?.id;
}

/** Those that are genuine, have not failed verification, and are not from the future (a wrong clock). Oldest first. */
function goodBackups(catalogue: readonly CatalogueEntry[], now: Date): CatalogueEntry[] {
  const limit = formatBackupId(now);
  return catalogue.filter(
    (entry) =>
      entry.backup !== null &&
      !isRejected(entry) &&
      entry.verification?.result !== "failed" &&
      entry.id <= limit,
  );
}
