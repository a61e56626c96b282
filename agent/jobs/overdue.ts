import { isRejected, newestVerified, type CatalogueEntry } from "../../model/backup/catalogue";
import { backupAgeProblem } from "../../model/backup/age-limit";
import { overdueJobs } from "../../model/backup/overdue-jobs";
import type { BackupsRequest } from "../../model/backup/protocol";
import { scheduleSavedAt } from "./schedule";

/** Why the server's backups are overdue, one sentence per reason; empty when they are not, or without a schedule. */
export async function readOverdueReasons(
  request: BackupsRequest | undefined,
  catalogue: readonly CatalogueEntry[],
  now: Date,
): Promise<string[]> {
  const since = await scheduleSavedAt();
  if (!request || !since) return [];
  const unverified = backupAgeProblem(
    {
      newest:
        catalogue.findLast((entry) => entry.backup !== null && !isRejected(entry))?.id ?? null,
      newestVerified: newestVerified(catalogue, now),
      verifiedLimit: request.verify?.limit ?? null,
      since: since.toISOString(),
    },
    now,
  );
  const jobs = overdueJobs({ jobs: request.jobs, since }, catalogue, now);
  return [...jobs, ...(unverified === undefined ? [] : [unverified])];
}
