import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { type Verification } from "../../model/backup/catalogue";
import { backupProblemsText } from "../../model/backup/manifest-comparison";
import { type BackedUpDatabase, type Manifest } from "../../model/backup/manifest";
import { splitBySize } from "../../model/backup/split-by-size";
import type { VerifyResult } from "../../model/backup/verification-protocol";
import type { BackupId } from "../../model/base/names";
import { plural } from "../../model/base/units";
import { AgentError, EnvironmentError } from "../system/errors";
import { waitForPostgres } from "../postgres/connect";
import { withDisposableServer } from "../postgres/scratch/disposable-server";
import { logLine } from "../system/progress";
import { forEachConcurrently } from "../system/concurrency";
import { acceptBackup, requireAuthentic } from "../repository/authenticity";
import { fileProblems } from "../repository/backup-files";
import { pruneBackupLogs } from "../repository/backup-logs";
import { saveVerification } from "../repository/repository";
import { backupFolder, readStoredManifest } from "../repository/stored-backup";
import { missingBackupText } from "../repository/offsite-only";
import { verifyDatabase, type VerifiedDatabase } from "./verify-database";

/** Seconds to wait for PostgreSQL to accept connections. */
const startSeconds = 60;

/**
 * Verifies a backup: compares its files with the manifest, restores each database into a temporary database, counts its
 * rows and runs amcheck. The result is saved in the catalogue. With `accept`, the digest of its manifest, the backup is
 * accepted first, although its signature is missing or wrong.
 *
 * Throws an {@link AgentError} when the backup does not exist or is rejected, or could not be verified for a reason other
 * than the backup; the catalogue is not changed then.
 */
export async function verifyBackup(
  id: BackupId,
  now: () => Date,
  accept?: string,
): Promise<VerifyResult> {
  if (!(await exists(id))) {
    throw new AgentError(await missingBackupText(id));
  }
  if (accept !== undefined) await acceptBackup(id, accept);
  const started = performance.now();
  const logs: string[] = [];
  logLine(`verify ${id}: checksums …`);
  // What is recorded below holds for this manifest, and for no other one that is there afterwards.
  const stored = await readStoredManifest(id);
  const problems: string[] = [...(await fileProblems(id))];
  // Not recorded: whether a backup is genuine is judged whenever it is used.
  if (problems.length === 0) await requireAuthentic(id);
  const manifest = stored?.manifest;
  const restored = problems.length === 0 && manifest !== undefined;
  if (restored) {
    await waitForPostgres(startSeconds);
    const databases = await withDisposableServer(async () => verifyDatabases(manifest));
    problems.push(...databases.flatMap((database) => database.problems));
    logs.push(...databases.map(({ log }) => log));
  }
  // It may have been deleted during the verification.
  if (!(await exists(id)))
    throw new EnvironmentError(`backup ${id} was removed while it was being verified`);
  const verification: Verification = {
    checkedAt: now().toISOString(),
    result: problems.length === 0 ? "passed" : "failed",
    from: "repository",
    restored,
    seconds: Math.round(performance.now() - started) / 1000,
    text:
      problems.length === 0 && manifest ? passedText(manifest) : backupProblemsText(id, problems),
    manifest: stored?.sha256 ?? null,
  };
  await saveVerification(id, verification);
  await pruneBackupLogs().catch(() => undefined);
  return { backup: id, verification, logs };
}

/** Verifies all databases of a backup, small ones concurrently, with one job for each processor. */
async function verifyDatabases(manifest: Manifest): Promise<readonly VerifiedDatabase[]> {
  const jobs = availableParallelism();
  const { large, small } = splitBySize(manifest.databases);
  const verified = new Map<string, VerifiedDatabase>();
  const verify = async (database: BackedUpDatabase, jobs: number): Promise<void> => {
    verified.set(database.name, await verifyDatabase(manifest, database, jobs));
  };
  for (const database of large) await verify(database, jobs);
  await forEachConcurrently(small, jobs, async (database) => verify(database, 1));
  return manifest.databases.flatMap(({ name }) => verified.get(name) ?? []);
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
