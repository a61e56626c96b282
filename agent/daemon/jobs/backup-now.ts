import { backupJobSchema, type BackupJob } from "../../../model/backup/job";
import type { BackupRequest, JobResult } from "../../../model/backup/protocol";
import { makeBackup } from "../../backup/backup";
import { copyAfterBackup } from "../../offsite/after-backup";
import { readSchedule } from "../../jobs/schedule";
import { AgentError } from "../../system/errors";
import { serverKind } from "../../system/server-kind";
import { terminationSignal } from "../../jobs/abort-signals";

/** Makes a backup now, and its off-site copy if one is configured. */
export async function backupNow({ server, job }: BackupRequest): Promise<JobResult> {
  const settings = await settingsOf(job);
  const signal = terminationSignal();
  const result = await makeBackup({
    server,
    kind: serverKind(),
    job: null,
    settings,
    connectTimeoutSeconds: 60,
    signal,
  });
  return copyAfterBackup((await readSchedule())?.offsite, server, result, signal);
}

async function settingsOf(job: string | null): Promise<BackupJob> {
  // The schema requires a schedule, which is not used here.
  if (job === null) return backupJobSchema.parse({ schedule: "@daily" });
  const jobs = (await readSchedule())?.jobs ?? {};
  const settings = jobs[job];
  if (settings) return settings;
  const names = Object.keys(jobs).join(", ") || "none";
  throw new AgentError(`no job ${job}; the jobs of this server are: ${names}`);
}
