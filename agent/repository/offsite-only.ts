import type { CatalogueEntry, Pin } from "../../model/backup/catalogue";
import { defaultRetention } from "../../model/backup/retention-policy";
import type { OffsiteConfig } from "../../model/backup/offsite-config";
import { offsiteOnlyEntries, offsiteCatalogue } from "../../model/backup/offsite-copies";
import { applyRetention, type RetentionDecision } from "../../model/backup/retention";
import type { BackupId } from "../../model/base/names";
import { readKnownCopies } from "./known-offsite-copies";

/** Backups that exist only off-site, with what the remote's retention rules say of them; from the agent's list of copies. */
export async function offsiteOnlyBackups(
  here: readonly CatalogueEntry[],
  pins: readonly Pin[],
  offsite: OffsiteConfig | undefined,
  now: Date,
): Promise<{ readonly entries: CatalogueEntry[]; readonly judgements: RetentionDecision[] }> {
  const known = await readKnownCopies();
  const entries = offsiteOnlyEntries(known, here, pins);
  const isOffsiteOnly = (id: BackupId): boolean => entries.some((entry) => entry.id === id);
  const judgements = offsite
    ? applyRetention(offsiteCatalogue(known, here, known), offsite.keep ?? defaultRetention, {
        now,
      })
    : entries.map(({ id }) => ({
        id,
        keep: true,
        rules: ["no off-site remote is configured"],
        why: "",
      }));
  return { entries, judgements: judgements.filter(({ id }) => isOffsiteOnly(id)) };
}

/** Error text for a backup id that is not on this server: why, and the command to run. */
export async function missingBackupText(id: BackupId): Promise<string> {
  const isKnown = (await readKnownCopies()).some((copy) => copy.id === id);
  return isKnown
    ? `backup ${id} is off-site only; fetch it first: npx stagecraft backups offsite <stack> ${id} --identity <file>`
    : `no backup ${id} on this server; list backups with: npx stagecraft backups`;
}
