import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { BackupFile, Manifest } from "../../model/backup/manifest";
import { formatBackupId, parseBackupId, type BackupId } from "../../model/base/names";
import { fsyncFolder, fsyncPath } from "../system/fsync";
import { readTextIfExists } from "../system/atomic-file";
import { hashFiles } from "../repository/backup-files";
import { noteSignedBackup } from "../repository/own-trust";
import { saveRecord } from "../repository/records";
import { saveAttempt } from "../repository/repository";
import {
  backupFolder,
  partialFolder,
  repositoryFolder,
  writeManifest,
} from "../repository/stored-backup";

const suffix = ".partial";
/** Job and start time of the backup in progress. */
const startedFile = "started.json";

const startedSchema = z.strictObject({ job: z.string().nullable(), startedAt: z.iso.datetime() });

/** An id for a backup that starts now; no other backup or attempt has it. */
export async function unusedId(now: Date): Promise<BackupId> {
  const taken = new Set(await readdir(repositoryFolder).catch(() => []));
  const records = await readdir(path.join(repositoryFolder, "records")).catch(() => []);
  for (const name of records) taken.add(name);
  let time = now;
  let id = formatBackupId(time);
  while (taken.has(id) || taken.has(`${id}${suffix}`)) {
    time = new Date(time.getTime() + 1000);
    id = formatBackupId(time);
  }
  return id;
}

/** Creates the folder of a backup that starts now; returns its path. */
export async function createPartial(id: BackupId, now: Date, job: string | null): Promise<string> {
  const folder = partialFolder(id);
  await mkdir(folder, { mode: 0o700 });
  const started = { job, startedAt: now.toISOString() };
  await writeFile(path.join(folder, startedFile), JSON.stringify(started), { mode: 0o600 });
  return folder;
}

/** Removes the folder of a failed backup. Retries, because a program that writes into it may still be ending. */
export async function removePartial(id: BackupId): Promise<void> {
  await rm(partialFolder(id), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** The files in the folder of a backup, with size and SHA-256. */
export async function listFiles(folder: string): Promise<BackupFile[]> {
  await rm(path.join(folder, startedFile), { force: true });
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  const hashes = await hashFiles(folder, names);
  const files: BackupFile[] = [];
  for (const name of names) {
    const { size } = await stat(path.join(folder, name));
    files.push({ path: name, bytes: size, sha256: hashes.get(name) ?? "" });
  }
  return files;
}

/** Completes a backup: writes and signs its manifest, syncs all files to disk, and renames the folder. */
export async function finishPartial(id: BackupId, manifest: Manifest): Promise<void> {
  const folder = partialFolder(id);
  const sha256 = await writeManifest(folder, manifest);
  await fsyncFolder(folder);
  // Before the rename: a complete backup always has its signature.
  const at = manifest.finishedAt;
  await saveRecord(id, "signature", { manifest: sha256, reason: "made", at });
  await rename(folder, backupFolder(id));
  await fsyncPath(repositoryFolder);
  await noteSignedBackup(id);
}

/**
 * Removes the folders of killed backups and records these as failed; returns their ids. The caller holds the job lock:
 * otherwise a folder may belong to a running backup.
 */
export async function removeLeftovers(now: Date): Promise<BackupId[]> {
  const names = await readdir(repositoryFolder).catch(() => []);
  const ids = names
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .filter((id) => parseBackupId(id) !== undefined);
  for (const id of ids) {
    const started = await readStarted(id);
    await removePartial(id);
    await saveAttempt({
      id,
      job: started?.job ?? null,
      result: "failed",
      logs: [],
      startedAt: started?.startedAt ?? parseBackupId(id)?.toISOString() ?? now.toISOString(),
      finishedAt: now.toISOString(),
      text: "no backup was made: the attempt was killed, or the machine stopped\n  fix       wait for the next run, or run: npx stagecraft backup",
    });
  }
  return ids;
}

async function readStarted(id: BackupId): Promise<z.infer<typeof startedSchema> | undefined> {
  const text = await readTextIfExists(path.join(partialFolder(id), startedFile)).catch(
    () => undefined,
  );
  if (text === undefined) return undefined;
  try {
    return startedSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
