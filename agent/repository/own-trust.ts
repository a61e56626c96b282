import path from "node:path";
import { z } from "zod";
import { invalidKey, type Trust } from "../../model/backup/authenticity";
import { backupIdSchema } from "../../model/backup/backup-id";
import { parseBackupId, type BackupId } from "../../model/base/names";
import { readSchedule } from "../jobs/schedule";
import { readTextIfExists } from "../system/atomic-file";
import { now } from "../system/clock";
import { messageOf } from "../system/errors";
import { logLine } from "../system/progress";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readRecord, recordsFolder, saveRecord } from "./records";
import { publicKey } from "./signing-key";
import { listBackupIds, parseJson, readNames, readStoredManifest } from "./stored-backup";

/** In the agent's volume: that it signs, since when, and the first backup that it made since. */
const stateFile = "signing.json";

const signingSchema = z.strictObject({
  since: z.iso.datetime(),
  first: backupIdSchema.nullable(),
});
type Signing = z.infer<typeof signingSchema>;

/** Whose signatures count in this server's own repository: the agent's, and those of the keys that the stack names. */
export async function ownTrust(): Promise<Trust> {
  const scope = "own repository";
  try {
    await beginSigning();
    const keys = [await publicKey(), ...(await declaredKeys())];
    return { keys, firstUse: false, acceptsUnsigned: false, scope };
  } catch (error) {
    // Without a key, the backups are those of an earlier version. The next call tries again.
    logLine(`cannot sign backups yet: ${messageOf(error)}`);
    return { keys: [], firstUse: true, acceptsUnsigned: true, scope };
  }
}

/** The keys of `backups.signedBy`: those that this server had before it was recreated. */
export async function declaredKeys(): Promise<readonly string[]> {
  return (await readSchedule().catch(() => undefined))?.signedBy ?? [];
}

/** Whether this agent has made a signed backup: then a backup of this server without a signature is not genuine. */
export async function hasSignedBackups(): Promise<boolean> {
  return (await readSigning())?.first != null;
}

/** Records that the agent has made a signed backup. That this fails, as in a full volume, does not invalidate the backup: the next one tries again. */
export async function noteSignedBackup(id: BackupId): Promise<void> {
  try {
    const signing = await beginSigning();
    if (signing.first === null) await saveSigning({ ...signing, first: id });
  } catch (error) {
    logLine(`cannot record that backup ${id} is signed: ${messageOf(error)}`);
  }
}

/** Creates the agent's key, and vouches for the backups that an earlier version has made: from now on, others need a signature. */
export async function beginSigning(): Promise<Signing> {
  const stored = await readSigning();
  if (stored) return stored;
  const key = await publicKey();
  const ids = await listBackupIds();
  const signatures = await Promise.all(ids.map(async (id) => readRecord(id, "signature")));
  // A repository that another agent has signed is not that of an earlier version: this server was recreated.
  const isForeign = signatures.some(
    (signature) => signature?.key != null && signature.key !== invalidKey && signature.key !== key,
  );
  const unsigned = ids.filter((_, index) => signatures[index] === null);
  for (const id of isForeign ? [] : unsigned) await adopt(id);
  if (!isForeign) await adoptAttempts();
  const signing = { since: now().toISOString(), first: null };
  await saveSigning(signing);
  return signing;
}

/** Signs what an earlier version has recorded of a backup, which it could not sign. */
async function adopt(id: BackupId): Promise<void> {
  const manifest = (await readStoredManifest(id))?.sha256;
  if (manifest === undefined) return;
  const verification = await readRecord(id, "verification");
  if (verification?.key === null)
    await saveRecord(id, "verification", { ...verification.record, manifest });
  const offsite = await readRecord(id, "offsite");
  if (offsite?.key === null) await saveRecord(id, "offsite", { ...offsite.record, manifest });
  // Last, because a backup with this record is not adopted again.
  const at = now().toISOString();
  await saveRecord(id, "signature", { manifest, reason: "earlier version", at });
}

/** Signs the attempts that an earlier version has recorded. */
async function adoptAttempts(): Promise<void> {
  const ids = (await readNames(recordsFolder())).filter((name) => parseBackupId(name));
  for (const id of ids) {
    const attempt = await readRecord(id, "attempt");
    if (attempt?.key === null) await saveRecord(id, "attempt", attempt.record);
  }
}

async function readSigning(): Promise<Signing | undefined> {
  const text = await readTextIfExists(path.join(stateFolder, stateFile));
  return text === undefined ? undefined : parseJson(signingSchema, text);
}

async function saveSigning(signing: Signing): Promise<void> {
  await writeStateFile(stateFile, JSON.stringify(signing));
}
