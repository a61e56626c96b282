import type { JobResult } from "../../model/backup/protocol";
import type { OffsiteConfig } from "../../model/backup/offsite-config";
import { withJobLock } from "../jobs/job-lock";
import { messageOf } from "../system/errors";
import { offsiteRetention, syncCopies, type CopyResult } from "./sync";

/** Copies the new backup off-site, and older ones that have no copy yet. The job has failed when a backup has no copy. */
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
  const text = `the backup was made, but not copied off-site: ${problems.join("; ")}`;
  return { ...result, finishedAt, succeeded: false, text };
}

/** Synchronises the off-site copies while holding the job lock: two uploads would remove each other's partial files. */
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
