import type { JobResult } from "../../model/backup/protocol";
import type { OffsiteSettings } from "../../model/backup/offsite";
import { withJobLock } from "../jobs/lock";
import { messageOf } from "../system/errors";
import { keptBy, syncCopies, type Copied } from "./sync";

/** Copies off-site what is not there yet, a backup that was made just now among it; without a copy the job has failed. */
export async function copyAfterBackup(
  offsite: OffsiteSettings | undefined,
  server: string,
  result: JobResult,
  signal: AbortSignal,
): Promise<JobResult> {
  if (!offsite || !result.succeeded) return result;
  const problems = await copyInTurn(offsite, server, result.name, signal).then(
    (copied) => copied.flatMap(({ copy }) => (copy.result === "failed" ? [copy.text] : [])),
    (error: unknown) => [messageOf(error)],
  );
  const finishedAt = new Date().toISOString();
  if (problems.length === 0)
    return { ...result, finishedAt, text: `${result.text} · copied off-site` };
  const text = `the backup was made, and is not off-site: ${problems.join("; ")}`;
  return { ...result, finishedAt, succeeded: false, text };
}

/** The same, while no other job runs: two uploads would take each other's parts for leftovers. */
export async function copyInTurn(
  offsite: OffsiteSettings,
  server: string,
  name: string | null,
  signal: AbortSignal,
): Promise<Copied[]> {
  return withJobLock({ kind: "backup", name }, signal, async () =>
    syncCopies(offsite, server, keptBy(offsite), signal),
  );
}
