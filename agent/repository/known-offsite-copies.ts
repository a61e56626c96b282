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

/** The list of off-site copies, in the agent's volume and in each copy. */
export const knownCopiesSchema = z.array(
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
  return text === undefined ? [] : knownCopiesSchema.parse(JSON.parse(text));
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

/**
 * Takes over the records of the agent that made a copy: this one is its successor, as after a recovery on another machine.
 * This agent's own records stay.
 *
 * @param remotePath The remote path of a copy here.
 */
export async function adoptKnownCopies(
  copies: readonly RecordedCopy[],
  remotePath: (id: BackupId) => string,
): Promise<void> {
  const known = await readKnownCopies();
  const adopted = copies
    .filter(({ id }) => !known.some((copy) => copy.id === id))
    .map(({ was, ...copy }) => ({
      ...copy,
      was: was && { ...was, offsite: { ...was.offsite, remote: remotePath(copy.id) } },
    }));
  if (adopted.length === 0) return;
  await saveKnownCopies([...known, ...adopted].sort((a, b) => (a.id < b.id ? -1 : 1)));
}

/** Saves the catalogue entries of uploaded backups, so that they are known after the local backup is removed. */
export async function recordUploadedCopies(entries: readonly CatalogueEntry[]): Promise<void> {
  const known = await readKnownCopies();
  const updated = recordUploads(known, entries);
  if (JSON.stringify(updated) !== JSON.stringify(known)) await saveKnownCopies(updated);
}
