import type { BackupId } from "../base/names";
import { databasesText } from "./backed-up-databases";
import { isVerified, type CatalogueEntry } from "./catalogue";

/**
 * Why backups must not be deleted manually, a sentence each; empty if all of them may be. `lastOf` are the databases
 * whose last verified backup may be deleted.
 */
export function deletionProblems(
  ids: readonly BackupId[],
  catalogue: readonly CatalogueEntry[],
  lastOf: readonly string[] = [],
): readonly string[] {
  const problems = ids.flatMap((id) => {
    const entry = catalogue.find((entry) => entry.id === id);
    if (!entry) return [`the repository has no backup ${id}`];
    if (entry.backup === null && entry.away) {
      return [`${id} is off-site only; backups.offsite.keep determines when it expires`];
    }
    if (entry.pins.length === 0) return [];
    const names = entry.pins.join(" and ");
    return [`${id} is used by ${names}: set data.backup of that stack to another id first`];
  });
  const good = catalogue.filter(isVerified);
  const remaining = good.filter(({ id }) => !ids.includes(id));
  const newest = good.at(-1);
  const fix = "verify another one first";
  if (newest && remaining.length === 0) {
    problems.push(
      good.length === 1
        ? `${newest.id} is the last verified backup: ${fix}`
        : `these are all the verified backups: keep one of them, or ${fix}`,
    );
    return problems;
  }
  const [lost, ...others] = lostDatabases(good, remaining).filter((name) => !lastOf.includes(name));
  if (lost !== undefined) {
    const names = [lost, ...others];
    const options = names.map((name) => `--last-of ${name}`).join(" ");
    problems.push(
      `no other verified backup has ${databasesText(names)}: ${fix}, or add ${options} if that is no longer needed`,
    );
  }
  return problems;
}

/** Databases that are in verified backups, and not in those that remain. */
function lostDatabases(
  good: readonly CatalogueEntry[],
  remaining: readonly CatalogueEntry[],
): string[] {
  const namesIn = (entries: readonly CatalogueEntry[]): string[] =>
    entries.flatMap(({ backup }) => backup?.databases.map(({ name }) => name) ?? []);
  const kept = new Set(namesIn(remaining));
  return [...new Set(namesIn(good))].filter((name) => !kept.has(name));
}
