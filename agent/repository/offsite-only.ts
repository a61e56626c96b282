import type { CatalogueEntry, Pin } from "../../model/backup/catalogue";
import { defaultKeep } from "../../model/backup/retention-rules";
import type { OffsiteSettings } from "../../model/backup/offsite";
import { offsiteAlone, offsiteCatalogue } from "../../model/backup/offsite-plan";
import { forget, type Judgement } from "../../model/backup/retention";
import type { BackupId } from "../../model/base/names";
import { readKnown } from "./known-offsite-copies";

/** Backups that are off-site alone, and what the rules of that place say of them; from what the agent remembers. */
export async function backupsAlone(
  here: readonly CatalogueEntry[],
  pins: readonly Pin[],
  offsite: OffsiteSettings | undefined,
  now: Date,
): Promise<{ readonly entries: CatalogueEntry[]; readonly judgements: Judgement[] }> {
  const known = await readKnown();
  const entries = offsiteAlone(known, here, pins);
  const isAlone = (id: BackupId): boolean => entries.some((entry) => entry.id === id);
  const judged = offsite
    ? forget(offsiteCatalogue(known, here, known), offsite.keep ?? defaultKeep, { now })
    : entries.map(({ id }) => ({ id, keep: true, rules: ["no place in force"], why: "" }));
  return { entries, judgements: judged.filter(({ id }) => isAlone(id)) };
}

/** Why there is nothing to work on under an id, and what to run. */
export async function notHereText(id: BackupId): Promise<string> {
  const isKnown = (await readKnown()).some((copy) => copy.id === id);
  return isKnown
    ? `backup ${id} is off-site alone; bring it back first: npx stagecraft backups offsite <stack> ${id} --identity <file>`
    : `there is no backup ${id} here; list them with: npx stagecraft backups`;
}
