import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { isVerified, type Verification } from "../../model/backup/catalogue";
import { backupProblemsText } from "../../model/backup/manifest-comparison";
import { type BackedUpDatabase, type Manifest } from "../../model/backup/manifest";
import { splitBySize } from "../../model/backup/split-by-size";
import type { VerifyResult } from "../../model/backup/verification-protocol";
import type { BackupId } from "../../model/base/names";
import { plural } from "../../model/base/units";
import { AgentError, EnvironmentError } from "../system/errors";
import { waitForPostgres } from "../postgres/connect";
import { logLine } from "../system/progress";
import { forEachConcurrently } from "../system/concurrency";
import { fileProblems } from "../repository/backup-files";
import { pruneBackupLogs } from "../repository/backup-logs";
import {
  backupFolder,
  saveVerification,
  readCatalogue,
  readManifest,
} from "../repository/repository";
import { missingBackupText } from "../repository/offsite-only";
import { verifyDatabase, type VerifiedDatabase } from "./verify-database";

/** Seconds that PostgreSQL may take to answer. */
const startSeconds = 60;

/**
 * Verifies a backup: compares its files with the manifest, restores each database into a copy that is dropped again,
 * counts the rows and checks the copy. What was found stands in the catalogue afterwards.
 *
 * Throws an {@link AgentError} when there is no such backup, and when it could not be verified for a reason that is not
 * the backup's; the catalogue stays as it was then.
 */
export async function verifyBackup(id: BackupId, now: () => Date): Promise<VerifyResult> {
  if (!(await exists(id))) {
    throw new AgentError(await missingBackupText(id));
  }
  const started = performance.now();
  const logs: string[] = [];
  logLine(`verify ${id}: checksums …`);
  const problems: string[] = [...(await fileProblems(id))];
  const manifest = await readManifest(id);
  const restored = problems.length === 0 && manifest !== undefined;
  if (restored) {
    await waitForPostgres(startSeconds);
    const copies = await restoreAll(manifest);
    problems.push(...copies.flatMap((copy) => copy.problems));
    logs.push(...copies.map(({ log }) => log));
  }
  // Somebody may have deleted it meanwhile.
  if (!(await exists(id))) throw new EnvironmentError(`backup ${id} was removed meanwhile`);
  const verification: Verification = {
    checkedAt: now().toISOString(),
    result: problems.length === 0 ? "passed" : "failed",
    from: "repository",
    restored,
    seconds: Math.round(performance.now() - started) / 1000,
    text:
      problems.length === 0 && manifest ? passedText(manifest) : backupProblemsText(id, problems),
  };
  await saveVerification(id, verification);
  await pruneBackupLogs().catch(() => undefined);
  return { backup: id, verification, logs };
}

/** Restores all databases of a backup, small ones several at a time, so that no more than a job for each processor is at work. */
async function restoreAll(manifest: Manifest): Promise<readonly VerifiedDatabase[]> {
  const jobs = availableParallelism();
  const { large, small } = splitBySize(manifest.databases);
  const copies = new Map<string, VerifiedDatabase>();
  const restore = async (database: BackedUpDatabase, jobs: number): Promise<void> => {
    copies.set(database.name, await verifyDatabase(manifest, database, jobs));
  };
  for (const database of large) await restore(database, jobs);
  await forEachConcurrently(small, jobs, async (database) => restore(database, 1));
  return manifest.databases.flatMap(({ name }) => copies.get(name) ?? []);
}

/** The backup that is verified next: the newest one of which nobody knows whether it can be restored. */
export async function nextToVerify(): Promise<BackupId | undefined> {
  const unknown = (await readCatalogue()).filter(
    (entry) =>
      entry.backup !== null && !isVerified(entry) && entry.verification?.result !== "failed",
  );
  return unknown.at(-1)?.id;
}

async function exists(id: BackupId): Promise<boolean> {
  return stat(backupFolder(id)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function passedText({ databases }: Manifest): string {
  const tables = databases.flatMap((database) => database.tables);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `restored ${plural(databases.length, "database")}: ${plural(tables.length, "table")} with ${plural(rows, "row")}, as in the manifest`;
}
