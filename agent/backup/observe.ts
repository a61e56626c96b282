import { statfs } from "node:fs/promises";
import type { Client } from "pg";
import { nextRuns } from "../../model/backup/cron";
import type { BackupsObservation, OffsiteObservation } from "../../model/backup/protocol";
import { missingDatabases } from "../../model/backup/missing-databases";
import { scheduledJobs } from "../../model/backup/scheduled-jobs";
import { observeOffsite } from "../../model/backup/offsite-copies";
import type { OffsiteConfig } from "../../model/backup/offsite-config";
import { isRejected, newestVerified, type CatalogueEntry } from "../../model/backup/catalogue";
import { newestOfDatabases } from "../../model/backup/backed-up-databases";
import { databaseNames } from "../postgres/databases";
import { runningJob } from "../jobs/job-lock";
import { jobKey } from "../jobs/scheduler";
import { publicKey } from "../repository/signing-key";
import { readJobStates } from "../jobs/job-states";
import { readOverdueReasons } from "../jobs/overdue";
import { readOffsiteProblem } from "../repository/offsite-check";
import { readBackupCatalogue } from "../repository/repository";
import { repositoryFolder } from "../repository/stored-backup";
import { readSchedule, scheduleSavedAt, scheduleDigest } from "../jobs/schedule";

/** The off-site copies; until the first one, whether the remote could be reached. */
async function observeCopies(
  server: string,
  settings: OffsiteConfig,
  entries: readonly CatalogueEntry[],
): Promise<OffsiteObservation> {
  const observed = observeOffsite(server, settings, entries);
  if (observed.newest !== null || observed.problem !== null) return observed;
  return { ...observed, problem: await readOffsiteProblem(observed.remote) };
}

/** Observes the backups, the jobs and their next runs. Read-only. */
export async function observeBackups(client: Client, now: Date): Promise<BackupsObservation> {
  const request = await readSchedule().catch(() => undefined);
  const states = await readJobStates();
  const space = await statfs(repositoryFolder).catch(() => undefined);
  const entries = await readBackupCatalogue();
  return {
    sha256: request ? scheduleDigest(request) : null,
    jobs: (request ? scheduledJobs(request) : []).map(({ kind, name, timing }) => ({
      kind,
      name,
      last: states[jobKey({ kind, name })]?.last ?? null,
      next: nextRuns(timing, now, 5).map((time) => time.toISOString()),
    })),
    running: (await runningJob(client)) ?? null,
    lastAttempt: entries.findLast(({ attempt }) => attempt !== null)?.attempt ?? null,
    late: await readOverdueReasons(request, entries, now),
    newest: entries.findLast((entry) => entry.backup !== null && !isRejected(entry))?.id ?? null,
    newestVerified: newestVerified(entries, now),
    databases: newestOfDatabases(entries, now),
    ...(request?.offsite && {
      offsite: await observeCopies(request.server, request.offsite, entries),
    }),
    verifiedLimit: request?.verify?.limit ?? null,
    since: (await scheduleSavedAt())?.toISOString() ?? null,
    freeBytes: space ? space.bavail * space.bsize : null,
    signingKey: await publicKey().catch(() => null),
    rejected: entries.flatMap(({ authenticity, rejectedRecords = [] }) => [
      ...(authenticity?.problem == null ? [] : [authenticity.problem]),
      ...rejectedRecords,
    ]),
    missing: missingDatabases(entries, await databaseNames(client), now),
  };
}
