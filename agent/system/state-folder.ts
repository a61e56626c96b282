import path from "node:path";
import { writeFileAtomically } from "./atomic-file";

/** Mount point of the agent's volume (`STAGECRAFT_HOME`). */
export const stateFolder = process.env.STAGECRAFT_HOME ?? "/var/lib/stagecraft";

/** Writes a file of the agent's volume atomically; `name` is relative to {@link stateFolder}. */
export async function writeStateFile(name: string, text: string): Promise<void> {
  await writeFileAtomically(path.join(stateFolder, name), text);
}
