import { stat } from "node:fs/promises";
import path from "node:path";
import {
  backupsRequestSchema,
  digestedRequest,
  type BackupsRequest,
} from "../../model/backup/protocol";
import { sha256Of } from "../system/digest";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";

const file = "backups.json";

/** What is in force, in the agent's volume, readable by the agent alone. */
export const scheduleFile = path.join(stateFolder, file);

/** What the agent does by itself about backups; `undefined` while nobody has said. */
export async function readSchedule(): Promise<BackupsRequest | undefined> {
  const text = await readTextIfExists(scheduleFile);
  return text === undefined ? undefined : backupsRequestSchema.parse(JSON.parse(text));
}

/** Puts a schedule in force; the main process notices. */
export async function saveSchedule(request: BackupsRequest): Promise<void> {
  await writeStateFile(file, JSON.stringify(request));
}

/** When the schedule was put in force; `undefined` while none is. */
export async function scheduleSavedAt(): Promise<Date | undefined> {
  const found = await stat(path.join(stateFolder, file)).catch(() => undefined);
  return found?.mtime;
}

/** By what a schedule is told from another. */
export function scheduleDigest(request: BackupsRequest): string {
  return sha256Of(digestedRequest(request));
}
