import { formatAge } from "../base/units";
import { parseBackupId, type BackupId } from "../base/names";
import { backupAgeProblem } from "./age-limit";
import { backedUpNames, databasesText, newestVerifiedByDatabase } from "./backed-up-databases";
import { isRejected, type CatalogueEntry } from "./catalogue";
import { lastRun } from "./cron";
import { lastDueRun } from "./due-backups";
import { timeText, type ActiveJobs } from "./overdue-jobs";
import type { VerificationConfig } from "./verification-config";

/** The newest backups of some databases. */
interface NewestOf {
  /** The newest verified one; `null` if there is none. */
  readonly verified: BackupId | null;
  /** The last run of a job whose backup must be verified by now. */
  readonly run: Date | undefined;
  readonly databases: readonly string[];
}

/**
 * Says of which databases no new backup has been verified, a sentence each: because the newest verified one is older than
 * the limit, or, without a limit, because the last verification has not verified what the jobs had backed up by then.
 */
export function overdueVerifications(
  active: ActiveJobs,
  verify: VerificationConfig,
  catalogue: readonly CatalogueEntry[],
  now: Date,
): string[] {
  const { since, begun } = active;
  const timing = { key: "verification/verify", timing: verify, since, begun };
  const done = lastDueRun(timing, now);
  // While a verification runs well, ages count up to its time.
  const last = lastRun(verify, since, now);
  const at = last && done?.getTime() !== last.getTime() ? last : now;
  const groups = newestByDatabase(active, catalogue, done, now);
  return groups.flatMap((group) => {
    const of = groups.length === 1 ? "" : databasesText(group.databases);
    const problem =
      verify.limit === undefined
        ? missedProblem(group, since, of, now)
        : backupAgeProblem(
            {
              newest: newestBackup(catalogue, group.databases),
              newestVerified: group.verified,
              verifiedLimit: verify.limit,
              since: since.toISOString(),
            },
            at,
            of,
          );
    return problem === undefined ? [] : [problem];
  });
}

/** Says that the last verification has not verified the newest backup that there must have been. */
function missedProblem(
  { verified, run }: NewestOf,
  since: Date,
  databases: string,
  now: Date,
): string | undefined {
  const time = verified === null ? undefined : parseBackupId(verified);
  if (run === undefined || (time && time >= run)) return undefined;
  const age = (from: Date): string => formatAge((now.getTime() - from.getTime()) / 1000);
  const of = databases === "" ? "" : ` of ${databases}`;
  return time
    ? `the newest verified backup${of} is ${age(time)} old; one of ${timeText(run)} should have been verified`
    : `no backup${of} has been verified yet, ${age(since)} after the schedule was set`;
}

/** The databases that jobs back up, those with the same newest backups together. `done` is the last verification that must have ended. */
function newestByDatabase(
  { jobs, since }: ActiveJobs,
  catalogue: readonly CatalogueEntry[],
  done: Date | undefined,
  now: Date,
): NewestOf[] {
  const verified = newestVerifiedByDatabase(catalogue, now);
  const runs = new Map<string, Date | undefined>();
  for (const [name, job] of Object.entries(jobs)) {
    const run = done && lastRun(job, since, done);
    for (const database of job.databases ?? lastDatabases(name, catalogue)) {
      const known = runs.get(database);
      runs.set(database, known === undefined || (run && run > known) ? run : known);
    }
  }
  const groups = new Map<string, NewestOf>();
  for (const [database, run] of runs) {
    const newest = verified.get(database) ?? null;
    const key = `${newest ?? ""} ${run?.getTime() ?? ""}`;
    const databases = [...(groups.get(key)?.databases ?? []), database];
    groups.set(key, { verified: newest, run, databases });
  }
  return [...groups.values()];
}

/** The databases in the newest backup of a job of all databases, or of that job. */
function lastDatabases(job: string, catalogue: readonly CatalogueEntry[]): string[] {
  const found = catalogue.findLast(
    (entry) =>
      entry.backup !== null &&
      !isRejected(entry) &&
      (entry.backup.allDatabases === true || entry.backup.job === job),
  );
  return found?.backup ? backedUpNames(found.backup) : [""];
}

/** The newest genuine backup that contains one of the databases. */
function newestBackup(
  catalogue: readonly CatalogueEntry[],
  databases: readonly string[],
): BackupId | null {
  const found = catalogue.findLast(
    (entry) =>
      entry.backup !== null &&
      !isRejected(entry) &&
      backedUpNames(entry.backup).some((name) => databases.includes(name)),
  );
  return found?.id ?? null;
}
