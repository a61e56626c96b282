import type { CatalogueEntry, Pin } from "../../model/backup/catalogue";
import { defaultRetention } from "../../model/backup/retention-policy";
import type { OffsiteConfig } from "../../model/backup/offsite-config";
import { offsiteOnlyEntries, offsiteCatalogue } from "../../model/backup/offsite-copies";
import { applyRetention, type RetentionDecision } from "../../model/backup/retention";
import type { BackupId } from "../../model/base/names";
import { readKnownCopies } from "./known-offsite-copies";

/** Backups that are off-site alone, and what the rules of that place say of them; from what the agent remembers. */
export async function offsiteOnlyBackups(
  here: readonly CatalogueEntry[],
  pins: readonly Pin[],
  offsite: OffsiteConfig | undefined,
  now: Date,
): Promise<{ readonly entries: CatalogueEntry[]; readonly judgements: RetentionDecision[] }> {
  const known = await readKnownCopies();
  const entries = offsiteOnlyEntries(known, here, pins);
  const isAlone = (id: BackupId): boolean => entries.some((entry) => entry.id === id);
  const judged = offsite
    ? applyRetention(offsiteCatalogue(known, here, known), offsite.keep ?? defaultRetention, {
        now,
      })
    : entries.map(({ id }) => ({ id, keep: true, rules: ["no place in force"], why: "" }));
  return { entries, judgements: judged.filter(({ id }) => isAlone(id)) };
}

/** Why there is nothing to work on under an id, and what to run. */
export async function missingBackupText(id: BackupId): Promise<string> {
  const isKnown = (await readKnownCopies()).some((copy) => copy.id === id);
  return isKnown
    ? `backup ${id} is off-site alone; bring it back first: npx stagecraft backups offsite <stack> ${id} --identity <file>`
    : `there is no backup ${id} here; list them with: npx stagecraft backups`;
}
