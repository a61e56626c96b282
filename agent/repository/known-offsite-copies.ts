import path from "node:path";
import { z } from "zod";
import {
  backupSummarySchema,
  offsiteCopySchema,
  verificationSchema,
  type CatalogueEntry,
} from "../../model/backup/catalogue";
import { backupIdSchema } from "../../model/backup/id";
import { noteUploaded, type KnownCopy } from "../../model/backup/offsite-plan";
import { storeFolder, writeWhole } from "../system/store";
import { readText } from "../system/atomic-file";

/** In the agent's volume, so that it outlives the repository. */
const knownFile = "offsite-copies.json";

const knownSchema = z.array(
  z.strictObject({
    id: backupIdSchema,
    bytes: z.number().int().nonnegative(),
    isVerified: z.boolean(),
    was: z
      .strictObject({
        backup: backupSummarySchema,
        verification: verificationSchema.nullable(),
        offsite: offsiteCopySchema,
      })
      .nullable()
      .default(null),
  }),
);

/** The copies that this agent has made and not removed. */
export async function readKnown(): Promise<KnownCopy[]> {
  const text = await readText(path.join(storeFolder, knownFile));
  return text === undefined ? [] : knownSchema.parse(JSON.parse(text));
}

/** Keeps what is known of copies. */
export async function keepKnown(known: readonly KnownCopy[]): Promise<void> {
  await writeWhole(knownFile, JSON.stringify(known));
}

/** Keeps what backups are, as long as their copies are there: they may leave the server. */
export async function keepUploaded(entries: readonly CatalogueEntry[]): Promise<void> {
  const known = await readKnown();
  const noted = noteUploaded(known, entries);
  if (JSON.stringify(noted) !== JSON.stringify(known)) await keepKnown(noted);
}
