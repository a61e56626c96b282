import { parseBackupId, type BackupId } from "../base/names";
import { isRejected, isVerified, type BackupSummary, type CatalogueEntry } from "./catalogue";

/** Stands for the roles and settings of a server in a backup that has no database. */
const noDatabase = "";

type Contents = Pick<BackupSummary, "allDatabases"> & {
  readonly databases: readonly { readonly name: string }[];
};

/** Names of the databases in a backup; one empty name if it has none, so that it is counted as well. */
export function backedUpNames({ databases }: Contents): string[] {
  return databases.length === 0 ? [noDatabase] : databases.map(({ name }) => name);
}

/**
 * Whether a backup says what there was of a database: it contains the database, or it is a backup of all databases, so that
 * the database did not exist.
 */
export function speaksOf(backup: Contents, database: string): boolean {
  return backup.allDatabases === true || backedUpNames(backup).includes(database);
}

/** The newest verified backup of each database, by name; backups with a timestamp after `now` are ignored. */
export function newestVerifiedByDatabase(
  catalogue: readonly CatalogueEntry[],
  now: Date,
): ReadonlyMap<string, BackupId> {
  const newest = new Map<string, BackupId>();
  for (const entry of catalogue) {
    const time = parseBackupId(entry.id);
    if (!entry.backup || !isVerified(entry) || !time || time > now) continue;
    for (const name of backedUpNames(entry.backup)) {
      const known = newest.get(name);
      if (known === undefined || known < entry.id) newest.set(name, entry.id);
    }
  }
  return newest;
}

/** The newest genuine backup of each database in a catalogue, and the newest verified one, ordered by name. */
export function newestOfDatabases(
  catalogue: readonly CatalogueEntry[],
  now: Date,
): { name: string; newest: BackupId; newestVerified: BackupId | null }[] {
  const verified = newestVerifiedByDatabase(catalogue, now);
  const newest = new Map<string, BackupId>();
  for (const entry of catalogue) {
    if (!entry.backup || isRejected(entry)) continue;
    for (const { name } of entry.backup.databases) newest.set(name, entry.id);
  }
  return [...newest]
    .map(([name, newest]) => ({ name, newest, newestVerified: verified.get(name) ?? null }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names the databases in a sentence: `billing`, `billing and shop`, `billing, shop and 3 more`. */
export function databasesText(names: readonly string[]): string {
  const shown = names.filter((name) => name !== noDatabase);
  if (shown.length > 3) return `${shown.slice(0, 2).join(", ")} and ${shown.length - 2} more`;
  const head = shown.slice(0, -1).join(", ");
  return head === "" ? (shown[0] ?? "") : `${head} and ${shown.at(-1) ?? ""}`;
}
