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

/** The applied schedule, in the agent's volume, readable only by the agent. */
export const scheduleFile = path.join(stateFolder, file);

/** The schedule of backups and their maintenance; `undefined` until one has been applied. */
export async function readSchedule(): Promise<BackupsRequest | undefined> {
  const text = await readTextIfExists(scheduleFile);
  return text === undefined ? undefined : backupsRequestSchema.parse(JSON.parse(text));
}

/** Applies a schedule; the agent's main process reloads it. */
export async function saveSchedule(request: BackupsRequest): Promise<void> {
  await writeStateFile(file, JSON.stringify(request));
}

/** When the schedule was applied; `undefined` without one. */
export async function scheduleSavedAt(): Promise<Date | undefined> {
  const found = await stat(path.join(stateFolder, file)).catch(() => undefined);
  return found?.mtime;
}

/** SHA-256 of a schedule, to compare two of them. */
export function scheduleDigest(request: BackupsRequest): string {
  return sha256Of(digestedRequest(request));
}
