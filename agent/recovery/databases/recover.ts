import type { RestoreRequest, RestoreResult } from "../../../model/restore/protocol";
import { wholeBackupLines } from "../../../model/restore/whole-backup";
import { recordRestore, restore, restoreOnly } from "../../restore/restore";
import { removeFetched } from "../../restore/source/fetch-offsite";
import { placeOf } from "../../restore/source/find-backup";
import { newerContentsProblems } from "./newer-contents";
import { recoverOthers } from "./recover-others";

/**
 * Restores what a stack names. On production, whose database is restored only while it is missing: rejects contents older
 * than what the server's own backups have, and restores the other missing databases of the backup, too.
 */
export async function recover(request: RestoreRequest): Promise<RestoreResult> {
  if (request.mode !== "when missing") return restore(request);
  try {
    const result = await restoreOnly(request, {
      keepsFetched: true,
      reject: async () => newerContentsProblems(request),
    });
    if (result.result !== "restored" || request.source.repository === undefined)
      return await recordRestore(result);
    const others = await recoverOthers(request, placeOf(request), [request.database]);
    return await recordRestore({
      ...result,
      others,
      text: [result.text, ...wholeBackupLines(request.server, others)].join("\n"),
    });
  } finally {
    if (request.offsite) await removeFetched(request.database);
  }
}
