import { isDeepStrictEqual } from "node:util";
import type { OffsiteConfig } from "../../../model/backup/offsite-config";
import type { BackupsRequest, BackupsResult } from "../../../model/backup/protocol";
import { remotePathText } from "../../../model/backup/remote-copies";
import { Remote, removeRemote, saveRemote } from "../../offsite/remote";
import { saveOffsiteCheck } from "../../repository/offsite-check";
import { saveSchedule, readSchedule } from "../../jobs/schedule";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";

/** Milliseconds in which the off-site remote must answer. */
const checkMilliseconds = 30_000;

/** Saves the schedule of backups and their off-site destination; the agent's main process reloads them. */
export async function scheduleBackups(request: BackupsRequest): Promise<BackupsResult> {
  // The schedule of an older agent may be unreadable.
  const before = await readSchedule().catch(() => undefined);
  const changed = !isDeepStrictEqual(before, request);
  // First, because it rejects a destination that cannot be used, and then nothing has changed.
  await (request.offsite ? saveRemote(request.offsite) : removeRemote());
  if (changed) await saveSchedule(request);
  if (changed && request.offsite) await checkRemote(request.offsite, request.server);
  return { changed };
}

/** Tries the off-site remote. That it does not answer is only reported: it may be down for a while, and the backups are made all the same. */
async function checkRemote(settings: OffsiteConfig, server: string): Promise<void> {
  const remote = remotePathText(settings, server);
  const signal = AbortSignal.timeout(checkMilliseconds);
  const problem = await new Remote(settings, server, signal).files().then(
    () => null,
    (error: unknown) => (signal.aborted ? `${remote}: no answer in 30 s` : messageOf(error)),
  );
  if (problem !== null) logLine(`warning: no off-site copy can be made now: ${problem}`);
  await saveOffsiteCheck({ remote, problem });
}
