import { newestVerified, type CatalogueEntry } from "../../model/backup/catalogue";
import { lateness } from "../../model/backup/lateness";
import { overdueJobs } from "../../model/backup/overdue";
import type { BackupsRequest } from "../../model/backup/protocol";
import { scheduledSince } from "./schedule";

/** Why the server's backups are overdue, a sentence each; none when all is well or nothing is promised. */
export async function readLateness(
  request: BackupsRequest | undefined,
  catalogue: readonly CatalogueEntry[],
  now: Date,
): Promise<string[]> {
  const since = await scheduledSince();
  if (!request || !since) return [];
  const unverified = lateness(
    {
      newest: catalogue.findLast(({ backup }) => backup !== null)?.id ?? null,
      newestVerified: newestVerified(catalogue, now),
      verifiedLimit: request.verify?.limit ?? null,
      since: since.toISOString(),
    },
    now,
  );
  const jobs = overdueJobs({ jobs: request.jobs, since }, catalogue, now);
  return [...jobs, ...(unverified === undefined ? [] : [unverified])];
}
