import { invalidKey, type Trust } from "../../../model/backup/authenticity";
import { readRecord } from "../../repository/records";
import { listBackupIds } from "../../repository/stored-backup";
import { trustedKey } from "../../repository/trusted-keys";

/**
 * Whose signatures count for the backups in another server's volume: the key that the stack names; else the key of the
 * first signed backup that was restored from it. Unsigned backups count while none in the volume is signed.
 *
 * @param repository Name of the volume.
 * @param folder Where it is mounted.
 */
export async function sourceTrust(
  repository: string,
  folder: string,
  signedBy?: string,
): Promise<Trust> {
  const scope = "another server's volume";
  const key = signedBy ?? (await trustedKey(repository));
  if (key !== undefined) return { keys: [key], firstUse: false, acceptsUnsigned: false, scope };
  return { keys: [], firstUse: true, acceptsUnsigned: !(await hasSignatures(folder)), scope };
}

async function hasSignatures(folder: string): Promise<boolean> {
  const ids = await listBackupIds(folder);
  const signatures = await Promise.all(ids.map(async (id) => readRecord(id, "signature", folder)));
  return signatures.some((signature) => signature?.key != null && signature.key !== invalidKey);
}
