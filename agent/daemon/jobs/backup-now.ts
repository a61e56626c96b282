import { backupJobSchema } from "../../../model/backup/job";
import type { BackupRequest, JobResult } from "../../../model/backup/protocol";
import { serverKinds, type ServerKind } from "../../../model/base/names";
import { makeBackup } from "../../backup/backup";
import { copyAfterBackup } from "../../offsite/after-backup";
import { readSchedule } from "../../jobs/schedule";
import { AgentError } from "../../system/errors";
import { terminationSignal } from "../../jobs/abort-signals";

/** What kind of server the agent is beside. */
export function ownKind(): ServerKind {
  const kind = serverKinds.find((name) => name === process.env.STAGECRAFT_KIND);
  if (kind) return kind;
  throw new AgentError(`STAGECRAFT_KIND must be one of ${serverKinds.join(", ")}; run pulumi up`);
}

/** Makes a backup now. */
export async function backup({ server, job }: BackupRequest): Promise<JobResult> {
  const settings = await settingsOf(job);
  const signal = terminationSignal();
  const result = await makeBackup({
    ...{ server, kind: ownKind(), job: null, settings },
    ...{ connectTimeoutSeconds: 60, signal },
  });
  return copyAfterBackup((await readSchedule())?.offsite, server, result, signal);
}

async function settingsOf(job: string | null) {
  // The schedule is when it runs; by hand that is now.
  if (job === null) return backupJobSchema.parse({ schedule: "@daily" });
  const jobs = (await readSchedule())?.jobs ?? {};
  const settings = jobs[job];
  if (settings) return settings;
  const names = Object.keys(jobs).join(", ") || "none";
  throw new AgentError(`there is no job ${job}; the jobs of this server are: ${names}`);
}
