import type { JobResult } from "../../model/backup/protocol";
import type { OffsiteConfig } from "../../model/backup/offsite-config";
import { withJobLock } from "../jobs/job-lock";
import { messageOf } from "../system/errors";
import { offsiteRetention, syncCopies, type CopyResult } from "./sync";

/** Copies off-site what is not there yet, a backup that was made just now among it; without a copy the job has failed. */
export async function copyAfterBackup(
  offsite: OffsiteConfig | undefined,
  server: string,
  result: JobResult,
  signal: AbortSignal,
): Promise<JobResult> {
  if (!offsite || !result.succeeded) return result;
  const problems = await copyWithJobLock(offsite, server, result.name, signal).then(
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
export async function copyWithJobLock(
  offsite: OffsiteConfig,
  server: string,
  name: string | null,
  signal: AbortSignal,
): Promise<CopyResult[]> {
  return withJobLock({ kind: "backup", name }, signal, async () =>
    syncCopies(offsite, server, offsiteRetention(offsite), signal),
  );
}
