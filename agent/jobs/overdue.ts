import type { CatalogueEntry } from "../../model/backup/catalogue";
import type { BegunRuns } from "../../model/backup/due-backups";
import { overdueJobs } from "../../model/backup/overdue-jobs";
import { overdueVerifications } from "../../model/backup/overdue-verification";
import type { BackupsRequest } from "../../model/backup/protocol";
import { scheduledJobs } from "../../model/backup/scheduled-jobs";
import { parseDuration } from "../../model/base/units";
import { readJobStates } from "./job-states";
import { scheduleSavedAt } from "./schedule";
import { jobKey } from "./scheduler";

/** Why the server's backups are overdue, one sentence per reason; empty when they are not, or without a schedule. */
export async function readOverdueReasons(
  request: BackupsRequest | undefined,
  catalogue: readonly CatalogueEntry[],
  now: Date,
): Promise<string[]> {
  const since = await scheduleSavedAt();
  if (!request || !since) return [];
  const { jobs, verify, offsite } = request;
  const active = { jobs, since, begun: await readBegun(request), offsite: offsite !== undefined };
  return [
    ...overdueJobs(active, catalogue, now),
    ...(verify ? overdueVerifications(active, verify, catalogue, now) : []),
  ];
}

/** The runs that have begun and not ended. */
async function readBegun(request: BackupsRequest): Promise<BegunRuns> {
  const states = await readJobStates();
  return Object.fromEntries(
    scheduledJobs(request).flatMap((job) => {
      const key = jobKey(job);
      const begun = states[key]?.begun;
      if (!begun) return [];
      const [run, startedAt] = [new Date(begun.run), new Date(begun.startedAt)];
      return [[key, { run, startedAt, limit: parseDuration(job.timing.timeLimit) ?? Infinity }]];
    }),
  );
}
