import { isDeepStrictEqual } from "node:util";
import type { BackupsRequest, BackupsResult } from "../../../model/backup/protocol";
import { removeRemote, saveRemote } from "../../offsite/remote";
import { saveSchedule, readSchedule } from "../../jobs/schedule";

/** Saves the schedule of backups and their off-site destination; the agent's main process reloads them. */
export async function scheduleBackups(request: BackupsRequest): Promise<BackupsResult> {
  // The schedule of an older agent may be unreadable.
  const before = await readSchedule().catch(() => undefined);
  const changed = !isDeepStrictEqual(before, request);
  // First, because it rejects a destination that cannot be used, and then nothing has changed.
  await (request.offsite ? saveRemote(request.offsite) : removeRemote());
  if (changed) await saveSchedule(request);
  return { changed };
}
