import type {
  DeleteRequest,
  DeleteResult,
  PruneRequest,
  PruneResult,
} from "../../model/backup/catalogue-protocol";
import { deletionProblems } from "../../model/backup/deletion-problems";
import { withJobLock } from "../jobs/job-lock";
import { evaluateRetention, pruneBackups } from "../repository/prune-backups";
import { readBackupCatalogue, removeBackup } from "../repository/repository";
import { now } from "../system/clock";
import { AgentError } from "../system/errors";

/** Deletes the backups that no retention rule keeps; with `dryRun` nothing is deleted. */
export async function pruneNow({ pins, dryRun }: PruneRequest): Promise<PruneResult> {
  if (dryRun) return { judgements: await evaluateRetention(pins, now()), removed: [] };
  return whileNoJobRuns(async () => {
    const judgements = await evaluateRetention(pins, now());
    return { judgements, removed: await pruneBackups(pins, now()) };
  });
}

/** Deletes the named backups permanently, all or none of them. */
export async function deleteBackups({
  pins,
  backups,
  lastOf,
}: DeleteRequest): Promise<DeleteResult> {
  return whileNoJobRuns(async () => {
    const problems = deletionProblems(backups, await readBackupCatalogue(pins), lastOf);
    if (problems.length > 0) throw new AgentError(`nothing was deleted: ${problems.join("; ")}`);
    for (const id of backups) await removeBackup(id);
    return { removed: [...backups] };
  });
}

/** A job may be reading or copying what is deleted. */
async function whileNoJobRuns<T>(work: () => Promise<T>): Promise<T> {
  return withJobLock({ kind: "maintenance", name: null }, new AbortController().signal, work);
}
