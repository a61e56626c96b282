import path from "node:path";
import { z } from "zod";
import {
  backupSummarySchema,
  offsiteCopySchema,
  verificationSchema,
  type CatalogueEntry,
} from "../../model/backup/catalogue";
import { backupIdSchema } from "../../model/backup/backup-id";
import { recordUploads, type RecordedCopy } from "../../model/backup/offsite-copies";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";

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
export async function readKnownCopies(): Promise<RecordedCopy[]> {
  const text = await readTextIfExists(path.join(stateFolder, knownFile));
  return text === undefined ? [] : knownSchema.parse(JSON.parse(text));
}

/** Keeps what is known of copies. */
export async function saveKnownCopies(known: readonly RecordedCopy[]): Promise<void> {
  await writeStateFile(knownFile, JSON.stringify(known));
}

/** Keeps what backups are, as long as their copies are there: they may leave the server. */
export async function recordUploadedCopies(entries: readonly CatalogueEntry[]): Promise<void> {
  const known = await readKnownCopies();
  const noted = recordUploads(known, entries);
  if (JSON.stringify(noted) !== JSON.stringify(known)) await saveKnownCopies(noted);
}
