import { isDeepStrictEqual } from "node:util";
import type { BackupsRequest, BackupsResult } from "../../model/backup/protocol";
import { keepSchedule, readSchedule } from "../backup/schedule";

/** Puts in force what the agent does by itself about backups. */
export async function scheduleBackups(request: BackupsRequest): Promise<BackupsResult> {
  // What an older agent kept may not be readable any more.
  const before = await readSchedule().catch(() => undefined);
  const changed = !isDeepStrictEqual(before, request);
  if (changed) await keepSchedule(request);
  return { changed };
}
