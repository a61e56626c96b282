import path from "node:path";
import { rolesRecordSchema, type RolesRecord } from "../../../model/roles/record";
import { readTextIfExists } from "../../system/atomic-file";
import { stateFolder, writeStateFile } from "../../system/state-folder";

/** File in the agent's volume. It has digests of verifiers, which no password can be guessed from without their salts. */
const file = "roles.json";

/** The roles that the last `up` applied; `undefined` when an older agent applied them, or the file is unreadable. */
export async function readRolesRecord(): Promise<RolesRecord | undefined> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  if (text === undefined) return undefined;
  try {
    return rolesRecordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Saves the roles that were applied. */
export async function saveRolesRecord(record: RolesRecord): Promise<void> {
  await writeStateFile(file, JSON.stringify(record));
}
