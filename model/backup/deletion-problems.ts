import type { BackupId } from "../base/names";
import { isVerified, type CatalogueEntry } from "./catalogue";

/** Why backups must not be deleted manually, a sentence each; empty if all of them may be. */
export function deletionProblems(
  ids: readonly BackupId[],
  catalogue: readonly CatalogueEntry[],
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
  if (newest && remaining.length === 0) {
    const fix = "verify another one first";
    problems.push(
      good.length === 1
        ? `${newest.id} is the last verified backup: ${fix}`
        : `these are all the verified backups: keep one of them, or ${fix}`,
    );
  }
  return problems;
}
