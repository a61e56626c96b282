import type { Client } from "pg";
import path from "node:path";
import { stat } from "node:fs/promises";
import type { BackedUpDatabase, Manifest } from "../../model/backup/manifest";
import { compareCounts, countInRoots } from "../../model/backup/manifest-comparison";
import { failureLines } from "../../model/import-log/verdict-text";
import type { Verdict } from "../../model/import-log/verdict-schema";
import { verificationName } from "../../model/base/names";
import { databaseLock } from "../postgres/advisory-locks";
import { isAtScratchServer } from "../postgres/target";
import { createRestrictedDatabase, dropDatabase } from "../postgres/databases";
import { withLock } from "../postgres/locks";
import { withOwnDatabase } from "../postgres/own-database";
import { AgentError, EnvironmentError, messageOf } from "../system/errors";
import { waitForPostgres, withConnection } from "../postgres/connect";
import { logLine } from "../system/progress";
import { openDump, type OpenedDump } from "../restore/dump/open-dump";
import { findMovingPartitions } from "../restore/import/partition-routes";
import { restoreAndCheck } from "../restore/import/restore-and-check";
import { Recorder } from "../restore/import/recorder";
import { createRestoreRole } from "../restore/import/restore-role";
import type { RestrictedLogin } from "../postgres/restricted-login";
import { findDataFolder } from "../postgres/free-space";
import { createRestoreLog } from "../system/restore-reports";
import { stateFolder } from "../system/state-folder";
import { amcheck } from "./amcheck";
import { countContents } from "./count-contents";
import { logName } from "../repository/backup-logs";
import { backupFolder } from "../repository/stored-backup";

/** Seconds to wait for PostgreSQL to accept connections. */
const startSeconds = 60;

/** The result of verifying one database. */
export interface VerifiedDatabase {
  /** Differences from the manifest, one sentence each; empty when there are none. */
  readonly problems: readonly string[];
  /** Name of the log. */
  readonly log: string;
}

/**
 * Restores one database of a backup into a temporary database that accepts no other connections, compares it with the
 * manifest, and drops it. Throws an {@link EnvironmentError} when that was impossible for a reason other than the backup.
 *
 * @param jobs parallel jobs
 */
export async function verifyDatabase(
  manifest: Manifest,
  database: BackedUpDatabase,
  jobs: number,
): Promise<VerifiedDatabase> {
  const restored = verificationName(database.name);
  const wait = { holder: `another verification of ${database.name}` };
  return withOwnDatabase(async (client) =>
    withLock(client, databaseLock(restored), wait, async () => {
      await dropDatabase(client, restored);
      return restoreInto(restored, client, manifest, database, jobs);
    }),
  );
}

async function restoreInto(
  restored: string,
  client: Client,
  { id, databases }: Manifest,
  database: BackedUpDatabase,
  jobs: number,
): Promise<VerifiedDatabase> {
  const { name } = database;
  const log = logName(id, "verify", name, databases.indexOf(database));
  // The server that verifies has no network: what a view reads elsewhere says nothing about the backup.
  const recorder = new Recorder(await createRestoreLog(log), undefined, undefined, "leave empty");
  recorder.write(`restore of ${database.dump} of backup ${id} into ${restored}`);
  let dump: OpenedDump;
  try {
    dump = await openDump(client, await dumpFile(id, database));
  } catch (error) {
    recorder.write(`stopped: ${messageOf(error)}`);
    await recorder.close();
    return { problems: problemsOfError(name, error), log };
  }
  const login = await createRestoreRole(false);
  try {
    return await restoreWith(login, dump, restored, client, database, { jobs, log, recorder });
  } finally {
    await dropCopy(restored, login);
  }
}

async function restoreWith(
  login: RestrictedLogin,
  dump: OpenedDump,
  restored: string,
  client: Client,
  database: BackedUpDatabase,
  {
    jobs,
    log,
    recorder,
  }: { readonly jobs: number; readonly log: string; readonly recorder: Recorder },
): Promise<VerifiedDatabase> {
  const { name } = database;
  let verdict: Verdict;
  try {
    await createRestrictedDatabase(client, restored, dump.databaseOptions, login.name);
    const target = {
      candidate: restored,
      database: name,
      roles: "leave out",
      jobs,
      login,
    } as const;
    const folder = await findDataFolder(client);
    verdict = await restoreAndCheck(dump, target, folder, recorder, async (step, work) => {
      logLine(`${name}: ${step} …`);
      return work();
    });
  } catch (error) {
    return { problems: problemsOfError(name, error), log };
  }
  if (verdict.outcome === "failed") {
    throwOnOutage(verdict);
    const lines = [`${name}: the restore failed`, ...failureLines(verdict)];
    return { problems: [lines.join("\n  ")], log };
  }
  logLine(`${name}: compare with the manifest …`);
  const counts = await countContents(
    restored,
    new Map(verdict.rows.map((row) => [row.table, row.found])),
  );
  logLine(`${name}: amcheck …`);
  const roots = await withConnection(restored, async (each) => findMovingPartitions(each));
  const expected = { ...database, tables: countInRoots(database.tables, roots) };
  const found = { ...counts, tables: countInRoots(counts.tables, roots) };
  return {
    problems: [...compareCounts(expected, found), ...(await amcheck(name, restored, jobs))],
    log,
  };
}

async function dumpFile(
  id: string,
  database: BackedUpDatabase,
): Promise<Parameters<typeof openDump>[1]> {
  const file = path.join(backupFolder(id), database.dump);
  const isFolder = database.format === "directory";
  const { size } = await stat(file);
  return {
    name: database.dump,
    path: file,
    isFolder,
    compared: true,
    // The size of a folder is estimated from the size of the database.
    bytes: isFolder ? Math.round(database.bytes / 4) : size,
    unpacked: path.join(stateFolder, `${id}.unpacked`),
  };
}

/** An {@link AgentError} is a problem of the dump. Other errors are thrown: they say nothing about the backup. */
function problemsOfError(name: string, error: unknown): string[] {
  if (!(error instanceof AgentError) || error instanceof EnvironmentError) throw error;
  return [`${name}: ${error.message}`];
}

/** Throws an {@link EnvironmentError} when the restore failed because PostgreSQL was stopped or ran out of disk space or memory. */
function throwOnOutage({ causes }: Verdict): void {
  const outage = causes.find(({ event }) => /^(?:08|53|57P|58030)/.test(event.sqlstate ?? ""));
  if (!outage) return;
  const { event, fix = "check PostgreSQL's log, then verify the backup again" } = outage;
  throw new EnvironmentError(
    `the restore was interrupted: ${event.sqlstate ?? ""}  ${event.message}; ${fix}`,
  );
}

/** Drops the temporary database and the role that restored it. */
async function dropCopy(restored: string, login: RestrictedLogin): Promise<void> {
  try {
    // A scratch server that has ended does not come back, and leaves nothing.
    if (!isAtScratchServer()) await waitForPostgres(startSeconds);
    await withConnection("postgres", async (admin) => dropDatabase(admin, restored));
    await login.drop();
  } catch (error) {
    // The agent's main process tries again every minute.
    logLine(`cannot clean up yet: ${messageOf(error)}`);
  }
}
