import path from "node:path";
import { z } from "zod";
import {
  backupSummarySchema,
  offsiteCopySchema,
  verificationSchema,
  type CatalogueEntry,
} from "../../model/backup/catalogue";
import { backupIdSchema } from "../../model/backup/backup-id";
import type { BackupId } from "../../model/base/names";
import { recordUploads, type RecordedCopy } from "../../model/backup/offsite-copies";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";

/** In the agent's volume, so that it survives the loss of the backup volume. */
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

/** The off-site copies that this agent created and has not removed. */
export async function readKnownCopies(): Promise<RecordedCopy[]> {
  const text = await readTextIfExists(path.join(stateFolder, knownFile));
  return text === undefined ? [] : knownSchema.parse(JSON.parse(text));
}

/** SHA-256 of the off-site copy that this agent has uploaded to a remote path; `undefined` if it remembers none. */
export async function rememberedSha256(
  id: BackupId,
  remotePath: string,
): Promise<string | undefined> {
  const offsite = (await readKnownCopies()).find((copy) => copy.id === id)?.was?.offsite;
  return offsite?.remote === remotePath ? (offsite.sha256 ?? undefined) : undefined;
}

/** Saves the list of off-site copies. */
export async function saveKnownCopies(known: readonly RecordedCopy[]): Promise<void> {
  await writeStateFile(knownFile, JSON.stringify(known));
}

/** Saves the catalogue entries of uploaded backups, so that they are known after the local backup is removed. */
export async function recordUploadedCopies(entries: readonly CatalogueEntry[]): Promise<void> {
  const known = await readKnownCopies();
  const updated = recordUploads(known, entries);
  if (JSON.stringify(updated) !== JSON.stringify(known)) await saveKnownCopies(updated);
}
