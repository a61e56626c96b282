import path from "node:path";
import { z } from "zod";
import type { Authenticity, Trust } from "../../model/backup/authenticity";
import { publicKeySchema } from "../../model/backup/signature";
import { readTextIfExists } from "../system/atomic-file";
import { now } from "../system/clock";
import { logLine } from "../system/progress";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { declaredKeys, hasSignedBackups } from "./own-trust";
import { publicKey } from "./signing-key";

/** In the agent's volume: the key of each repository of another server, and since when it is trusted. */
const trustedFile = "trusted-keys.json";

const trustedSchema = z.record(
  z.string(),
  z.strictObject({ key: publicKeySchema, since: z.iso.datetime() }),
);

/** The key that a repository of another server is trusted with: the one of its first signed backup that was used here. */
export async function trustedKey(repository: string): Promise<string | undefined> {
  return (await readTrusted())[repository]?.key;
}

/** Trusts the key of a backup for its repository from now on, and logs it when it is new. */
export async function trustFrom(
  repository: string,
  trust: Trust,
  { state, key }: Authenticity,
): Promise<void> {
  if (key === null || state === "rejected" || key === (await trustedKey(repository))) return;
  // This server's own copies need no stored key.
  if (trust.keys.includes(key) && key === (await publicKey())) return;
  const since = now().toISOString();
  await writeStateFile(
    trustedFile,
    JSON.stringify({ ...(await readTrusted()), [repository]: { key, since } }),
  );
  logLine(
    trust.firstUse
      ? `trusting the key ${key} for ${repository} from now on, because this is its first signed backup here; compare it with npx stagecraft status of its server, or pin it with data.signedBy`
      : `trusting the key ${key} for ${repository} from now on, as the stack file says`,
  );
}

/**
 * Whose signatures count for the off-site copies of a server: the keys that the stack names; else the one of the first copy
 * that was used here. For this server's own copies, always its own key too, and no first one once it has signed a backup.
 */
export async function copyTrust(
  repository: string,
  isOwn: boolean,
  scope: "restored copy" | "fetched copy",
  signedBy?: string,
): Promise<Trust> {
  const own = isOwn ? [await publicKey()] : [];
  if (signedBy !== undefined)
    return { keys: [...own, signedBy], firstUse: false, acceptsUnsigned: false, scope };
  const stored = await trustedKey(repository);
  const known = [...(await declaredKeys()), ...(stored === undefined ? [] : [stored])];
  const isFirst = known.length === 0 && !(isOwn && (await hasSignedBackups()));
  return { keys: [...own, ...known], firstUse: isFirst, acceptsUnsigned: isFirst, scope };
}

async function readTrusted(): Promise<z.infer<typeof trustedSchema>> {
  const text = await readTextIfExists(path.join(stateFolder, trustedFile));
  return text === undefined ? {} : trustedSchema.parse(JSON.parse(text));
}
