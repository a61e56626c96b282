import { isDeepStrictEqual } from "node:util";
import type { BackupsRequest, BackupsResult } from "../../../model/backup/protocol";
import { removeRemote, saveRemote } from "../../offsite/remote";
import { saveSchedule, readSchedule } from "../../jobs/schedule";

/** Puts in force what the agent does by itself about backups. */
export async function scheduleBackups(request: BackupsRequest): Promise<BackupsResult> {
  // What an older agent kept may not be readable any more.
  const before = await readSchedule().catch(() => undefined);
  const changed = !isDeepStrictEqual(before, request);
  // First, because it refuses what cannot be done, and then nothing has changed.
  await (request.offsite ? saveRemote(request.offsite) : removeRemote());
  if (changed) await saveSchedule(request);
  return { changed };
}
