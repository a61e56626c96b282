import type { Client } from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import path from "node:path";
import { stat } from "node:fs/promises";
import type { BackedUpDatabase, Manifest } from "../../model/backup/manifest";
import { compareCounts } from "../../model/backup/manifest-comparison";
import { failureLines } from "../../model/import-log/verdict-text";
import type { Verdict } from "../../model/import-log/verdict-schema";
import { verificationName } from "../../model/base/names";
import {
  createRestrictedDatabase,
  dropDatabase,
  tryLockDatabase,
  unlockDatabase,
} from "../postgres/databases";
import { AgentError, EnvironmentError, messageOf } from "../system/errors";
import { waitForPostgres, withConnection } from "../postgres/connect";
import { logLine } from "../system/progress";
import { openDump, type Dump } from "../restore/dump/open-dump";
import { restoreAndCheck } from "../restore/import/restore-and-check";
import { Recorder } from "../restore/import/recorder";
import {
  createRestoreRole,
  releaseRestoreRole,
  removeRestoreRole,
} from "../restore/import/restore-role";
import { findDataFolder } from "../postgres/free-space";
import { createRestoreLog } from "../system/restore-reports";
import { stateFolder } from "../system/state-folder";
import { amcheck } from "./amcheck";
import { countContents } from "./count-contents";
import { logName } from "../repository/backup-logs";
import { backupFolder } from "../repository/repository";

/** Seconds that PostgreSQL may take to come back. */
const startSeconds = 60;

/** Milliseconds between two looks whether another verification has ended. */
const waitMilliseconds = 500;

/** What the restore of one database showed. */
export interface VerifiedDatabase {
  /** What is not as the manifest tells, a sentence each; empty when all is. */
  readonly problems: readonly string[];
  /** Name of the log. */
  readonly log: string;
}

/**
 * Restores one database of a backup into a copy that nobody may connect to, compares it with the manifest and drops it,
 * with so many jobs at the same time. Throws a {@link EnvironmentError} when it could not be done, and nothing is known of the backup.
 */
export async function verifyDatabase(
  manifest: Manifest,
  database: BackedUpDatabase,
  jobs: number,
): Promise<VerifiedDatabase> {
  const copy = verificationName(database.name);
  return withConnection("postgres", async (client) => {
    while (!(await tryLockDatabase(client, copy))) await sleep(waitMilliseconds);
    try {
      await dropDatabase(client, copy);
      return await restoreInto(copy, client, manifest, database, jobs);
    } finally {
      await cleanUp(client, copy);
    }
  });
}

async function restoreInto(
  copy: string,
  client: Client,
  { id, databases }: Manifest,
  database: BackedUpDatabase,
  jobs: number,
): Promise<VerifiedDatabase> {
  const { name } = database;
  const log = logName(id, "verify", name, databases.indexOf(database));
  const recorder = new Recorder(await createRestoreLog(log));
  recorder.write(`restore of ${database.dump} of backup ${id} into ${copy}`);
  let dump: Dump;
  try {
    dump = await openDump(client, await dumpFile(id, database));
  } catch (error) {
    recorder.write(`stopped: ${messageOf(error)}`);
    await recorder.close();
    return { problems: problemsOfError(name, error), log };
  }
  let verdict: Verdict;
  try {
    await createRestoreRole(client);
    await createRestrictedDatabase(client, copy, dump.databaseOptions);
    const target = { candidate: copy, database: name, roles: "leave out", jobs } as const;
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
    copy,
    new Map(verdict.rows.map((row) => [row.table, row.found])),
  );
  logLine(`${name}: amcheck …`);
  return {
    problems: [...compareCounts(database, counts), ...(await amcheck(name, copy, jobs))],
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
    ...{ name: database.dump, path: file, isFolder, compared: true },
    // What a folder holds is known well enough from what was dumped.
    bytes: isFolder ? Math.round(database.bytes / 4) : size,
    unpacked: path.join(stateFolder, `${id}.unpacked`),
  };
}

/** A dump that cannot be read is no good; anything else says nothing about it. */
function problemsOfError(name: string, error: unknown): string[] {
  if (!(error instanceof AgentError) || error instanceof EnvironmentError) throw error;
  return [`${name}: ${error.message}`];
}

/** Throws when what went wrong is PostgreSQL's state and not the dump: it was stopped, or ran out of disk or memory. */
function throwOnOutage({ causes }: Verdict): void {
  const outage = causes.find(({ event }) => /^(?:08|53|57P|58030)/.test(event.sqlstate ?? ""));
  if (!outage) return;
  const { event, fix = "look at PostgreSQL's log, then verify it again" } = outage;
  throw new EnvironmentError(
    `the restore was interrupted: ${event.sqlstate ?? ""}  ${event.message}; ${fix}`,
  );
}

/** Nothing stays of the copy; PostgreSQL may have to come back first. */
async function cleanUp(client: Client, copy: string): Promise<void> {
  await releaseRestoreRole(client);
  try {
    await waitForPostgres(startSeconds);
    await withConnection("postgres", async (admin) => {
      await dropDatabase(admin, copy);
      await removeRestoreRole(admin);
    });
  } catch (error) {
    // The agent's main process looks for leftovers again every minute.
    logLine(`could not clean up yet: ${messageOf(error)}`);
  }
  await unlockDatabase(client, copy).catch(() => undefined);
}
