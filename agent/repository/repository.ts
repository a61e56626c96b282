import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { z } from "zod";
import {
  attemptSchema,
  offsiteCopySchema,
  verificationSchema,
  type Attempt,
  type CatalogueEntry,
  type OffsiteCopy,
  type Pin,
  type Verification,
} from "../../model/backup/catalogue";
import { backupBytes, manifestSchema, type Manifest } from "../../model/backup/manifest";
import { parseBackupId, type BackupId } from "../../model/base/names";
import { sha256Of } from "../system/digest";
import { readTextIfExists, writeFileAtomically } from "../system/atomic-file";
import { saveFallbackAttempt, readFallbackAttempts } from "./fallback-attempts";
import { recordUploadedCopies } from "./known-offsite-copies";

/** Mount point of the server's backup volume. */
export const repositoryFolder = process.env.STAGECRAFT_BACKUPS ?? "/var/backups/stagecraft";

/** Records about a backup. Each is a file of its own beside the backup, so that concurrent writers do not overwrite each other. */
const recordSchemas = {
  attempt: attemptSchema,
  verification: verificationSchema,
  offsite: offsiteCopySchema,
};
type RecordName = keyof typeof recordSchemas;

/** The folder of a complete backup. */
export function backupFolder(id: BackupId, repository = repositoryFolder): string {
  return path.join(repository, id);
}

/** The folder a backup is written to; renamed to {@link backupFolder} when it is complete. */
export function partialFolder(id: BackupId): string {
  return path.join(repositoryFolder, `${id}.partial`);
}

/** Ids of the complete backups, oldest first. */
export async function listBackupIds(repository = repositoryFolder): Promise<BackupId[]> {
  const names = (await readNames(repository)).filter((name) => parseBackupId(name) !== undefined);
  const isComplete = await Promise.all(
    names.map(async (id) => (await readManifest(id, repository)) !== undefined),
  );
  return names.filter((_, index) => isComplete[index]).sort();
}

/** The manifest of a backup; `undefined` when it is missing or unreadable: then the folder is no backup. */
export async function readManifest(
  id: BackupId,
  repository = repositoryFolder,
): Promise<Manifest | undefined> {
  const text = await readTextIfExists(path.join(backupFolder(id, repository), "manifest.json"));
  return text === undefined ? undefined : parseJson(manifestSchema, text);
}

/** Files of a backup that its manifest does not list: the manifest and its SHA-256. */
export const manifestFiles = ["manifest.json", "manifest.sha256"] as const;

/** Writes the manifest into the folder of a backup, after all other files, with its SHA-256 in the format of `sha256sum`. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const text = JSON.stringify(manifest);
  const [name, checksumName] = manifestFiles;
  await writeFileAtomically(path.join(folder, checksumName), `${sha256Of(text)}  ${name}\n`);
  await writeFileAtomically(path.join(folder, name), text);
}

/** Why the manifest of a backup is not as it was written; `undefined` when it is. Does not parse it. */
export async function manifestProblem(
  id: BackupId,
  repository = repositoryFolder,
): Promise<string | undefined> {
  const [name, checksumName] = manifestFiles;
  const folder = backupFolder(id, repository);
  const [text, checksum] = await Promise.all([
    readTextIfExists(path.join(folder, name)),
    readTextIfExists(path.join(folder, checksumName)),
  ]);
  if (text === undefined) return `${name} is missing`;
  if (checksum === undefined) return `${checksumName} is missing`;
  if (checksum !== `${sha256Of(text)}  ${name}\n`) return `${name} or ${checksumName} was altered`;
  return undefined;
}

/** Saves the result of a backup attempt; in the agent's volume when the backup volume is full or unwritable. */
export async function saveAttempt(attempt: Attempt): Promise<void> {
  try {
    await saveRecord(attempt.id, "attempt", attempt);
  } catch {
    await saveFallbackAttempt(attempt);
  }
}

/** Saves the result of the last verification of a backup. */
export async function saveVerification(id: BackupId, verification: Verification): Promise<void> {
  await saveRecord(id, "verification", verification);
}

/** Saves the state of the off-site copy of a backup. */
export async function saveOffsiteCopy(id: BackupId, copy: OffsiteCopy): Promise<void> {
  await saveRecord(id, "offsite", copy);
}

/** All backups and failed attempts, oldest first. */
export async function readBackupCatalogue(
  pins: readonly Pin[] = [],
  repository = repositoryFolder,
): Promise<CatalogueEntry[]> {
  const fallback = repository === repositoryFolder ? await readFallbackAttempts() : [];
  const attempts = new Map(fallback.map((attempt) => [attempt.id, attempt]));
  const names = [await readNames(repository), await readNames(recordsFolder(repository))].flat();
  const ids = new Set(names.filter((name) => parseBackupId(name) !== undefined));
  const entries = [...new Set([...ids, ...attempts.keys()])].sort().map(async (id) => {
    const entry = await readEntry(id, pins, repository);
    return { ...entry, attempt: entry.attempt ?? attempts.get(id) ?? null };
  });
  // A folder without a manifest and without a record is not an attempt.
  return (await Promise.all(entries)).filter(({ backup, attempt }) => backup ?? attempt);
}

/** The result of the last verification of a backup; `null` when it was never verified. */
export async function readVerification(
  id: BackupId,
  repository = repositoryFolder,
): Promise<Verification | null> {
  return readRecord(id, "verification", repository);
}

/** Removes a backup and its records. Its catalogue entry is retained while it has an off-site copy. */
export async function removeBackup(id: BackupId): Promise<void> {
  await recordUploadedCopies([await readEntry(id, [], repositoryFolder)]);
  // Without its manifest it is no longer a backup, even if the removal is interrupted.
  await rm(path.join(backupFolder(id), "manifest.json"), { force: true });
  await rm(backupFolder(id), { recursive: true, force: true });
  await rm(recordFolder(id), { recursive: true, force: true });
}

async function readEntry(
  id: BackupId,
  pins: readonly Pin[],
  repository: string,
): Promise<CatalogueEntry> {
  const [manifest, attempt, verification, offsite] = await Promise.all([
    readManifest(id, repository),
    readRecord(id, "attempt", repository),
    readRecord(id, "verification", repository),
    readRecord(id, "offsite", repository),
  ]);
  return {
    id,
    attempt,
    verification,
    offsite,
    backup: manifest ? summaryOf(manifest) : null,
    pins: pins.filter(({ backup }) => backup === id).map(({ by }) => by),
  };
}

function summaryOf(manifest: Manifest): NonNullable<CatalogueEntry["backup"]> {
  const { server, kind, job, postgres, databases, startedAt, finishedAt } = manifest;
  return {
    server,
    kind,
    job,
    postgres: postgres.version,
    bytes: backupBytes(manifest),
    databases: databases.map(({ name, bytes, tables }) => {
      return { name, bytes, rows: tables.reduce((sum, { rows }) => sum + rows, 0) };
    }),
    // The clock may have been set back in between.
    seconds: Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000,
  };
}

const recordsFolder = (repository: string): string => path.join(repository, "records");
const recordFolder = (id: BackupId, repository = repositoryFolder): string =>
  path.join(recordsFolder(repository), id);

async function saveRecord(id: BackupId, fact: RecordName, value: unknown): Promise<void> {
  await mkdir(recordFolder(id), { recursive: true, mode: 0o700 });
  await writeFileAtomically(path.join(recordFolder(id), `${fact}.json`), JSON.stringify(value));
}

async function readRecord<F extends RecordName>(
  id: BackupId,
  fact: F,
  repository: string,
): Promise<z.infer<(typeof recordSchemas)[F]> | null> {
  const text = await readTextIfExists(path.join(recordFolder(id, repository), `${fact}.json`));
  const schema: z.ZodType = recordSchemas[fact];
  const value = text === undefined ? undefined : parseJson(schema, text);
  return (value as z.infer<(typeof recordSchemas)[F]> | undefined) ?? null;
}

function parseJson<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function readNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
