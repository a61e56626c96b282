import type { BackupsRequest, JobKind } from "../../../model/backup/protocol";
import { scheduledJobs } from "../../../model/backup/scheduled-jobs";
import { readJobStates } from "../../jobs/job-states";
import { readOverdueReasons } from "../../jobs/overdue";
import { jobKey } from "../../jobs/scheduler";
import { readArchiveProblems } from "../../recovery/archive/archive-problems";
import { readBackupCatalogue } from "../../repository/repository";
import { now } from "../../system/clock";

/**
 * What is not good of a server's backups, besides one job: other jobs whose last run failed, overdue backups, WAL archiving
 * that fails; a sentence each.
 */
export async function otherProblems(
  request: BackupsRequest,
  job?: { readonly kind: JobKind; readonly name: string | null },
): Promise<string[]> {
  const states = await readJobStates();
  const own = job && jobKey({ kind: job.kind, name: job.name ?? "" });
  const failed = scheduledJobs(request).flatMap((other) => {
    const last = jobKey(other) === own ? null : states[jobKey(other)]?.last;
    return last?.succeeded === false ? [`${other.name} (${other.kind}) failed: ${last.text}`] : [];
  });
  const overdue = await readOverdueReasons(request, await readBackupCatalogue(), now());
  return [...failed, ...overdue, ...((await readArchiveProblems(request.server)) ?? [])];
}
