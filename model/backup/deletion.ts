import type { BackupId } from "../base/names";
import { isVerified, type CatalogueEntry } from "./catalogue";

/** Why backups must not be deleted by hand, a sentence each; empty when all of them may be. */
export function deletionProblems(
  ids: readonly BackupId[],
  catalogue: readonly CatalogueEntry[],
): readonly string[] {
  const problems = ids.flatMap((id) => {
    const entry = catalogue.find((entry) => entry.id === id);
    if (!entry) return [`there is no backup ${id} here`];
    if (entry.backup === null && entry.away) {
      return [`${id} is off-site alone, where backups.offsite.keep says when it goes`];
    }
    if (entry.pins.length === 0) return [];
    const names = entry.pins.join(" and ");
    return [`${id} is named by ${names}: give data.backup of that stack another id first`];
  });
  const good = catalogue.filter(isVerified);
  const stay = good.filter(({ id }) => !ids.includes(id));
  const newest = good.at(-1);
  if (newest && stay.length === 0) {
    const fix = "verify another one first";
    problems.push(
      good.length === 1
        ? `${newest.id} is the last verified backup: ${fix}`
        : `these are all verified backups there are: keep one of them, or ${fix}`,
    );
  }
  return problems;
}
