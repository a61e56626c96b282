import { randomBytes } from "node:crypto";
import path from "node:path";
import { stateFolder, writeStateFile } from "../../system/state-folder";
import { readTextIfExists } from "../../system/atomic-file";

const fileName = "mask-key";

/**
 * This server's own key of masks, made at its first use. It never leaves the agent's volume, so the values of two servers
 * cannot be compared; while the volume is there, the same value becomes the same again at every refresh.
 */
export async function serverMaskKey(): Promise<string> {
  const kept = await readTextIfExists(path.join(stateFolder, fileName));
  if (kept !== undefined) return kept;
  const key = randomBytes(32).toString("hex");
  await writeStateFile(fileName, key);
  return key;
}
