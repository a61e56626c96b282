import { randomBytes } from "node:crypto";
import path from "node:path";
import { stateFolder, writeStateFile } from "../../system/state-folder";
import { readTextIfExists } from "../../system/atomic-file";

const fileName = "mask-key";

/**
 * This server's own key for masks, created at its first use. It never leaves the agent's volume, so masked values of two
 * servers cannot be compared. As long as the volume exists, every refresh masks a value the same way.
 */
export async function serverMaskKey(): Promise<string> {
  const stored = await readTextIfExists(path.join(stateFolder, fileName));
  if (stored !== undefined) return stored;
  const key = randomBytes(32).toString("hex");
  await writeStateFile(fileName, key);
  return key;
}
