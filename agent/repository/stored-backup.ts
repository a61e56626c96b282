import { readdir } from "node:fs/promises";
import path from "node:path";
import { manifestSchema, type Manifest } from "../../model/backup/manifest";
import { parseBackupId, type BackupId } from "../../model/base/names";
import { writeFileAtomically } from "../system/atomic-file";
import { sha256Of } from "../system/digest";
import { messageOf } from "../system/errors";
import { isRealFolder, readIfRegularFile, readRegularFile } from "../system/regular-file";

/** Mount point of the server's backup volume. */
export const repositoryFolder = process.env.STAGECRAFT_BACKUPS ?? "/var/backups/stagecraft";

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

/** A manifest, with the SHA-256 of its bytes, which are what is signed. */
export interface StoredManifest {
  readonly manifest: Manifest;
  readonly sha256: string;
}

/** The manifest of a backup; `undefined` when it is missing or unreadable: then the folder is no backup. */
export async function readStoredManifest(
  id: BackupId,
  repository = repositoryFolder,
): Promise<StoredManifest | undefined> {
  const folder = backupFolder(id, repository);
  const bytes = (await isRealFolder(folder))
    ? await readIfRegularFile(path.join(folder, manifestFiles[0]))
    : undefined;
  const manifest = bytes && parseJson(manifestSchema, bytes.toString("utf8"));
  return bytes && manifest && { manifest, sha256: sha256Of(bytes) };
}

/** {@link readStoredManifest} without the SHA-256. */
export async function readManifest(
  id: BackupId,
  repository = repositoryFolder,
): Promise<Manifest | undefined> {
  return (await readStoredManifest(id, repository))?.manifest;
}

/** Files of a backup that its manifest does not list: the manifest and its SHA-256. */
export const manifestFiles = ["manifest.json", "manifest.sha256"] as const;

/** Writes the manifest into the folder of a backup, after all other files, with its SHA-256 in the format of `sha256sum`; the SHA-256. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<string> {
  const text = JSON.stringify(manifest);
  const sha256 = sha256Of(text);
  const [name, checksumName] = manifestFiles;
  await writeFileAtomically(path.join(folder, checksumName), `${sha256}  ${name}\n`);
  await writeFileAtomically(path.join(folder, name), text);
  return sha256;
}

/** Why the manifest of a backup is not as it was written; `undefined` when it is. Does not parse it. */
export async function manifestProblem(
  id: BackupId,
  repository = repositoryFolder,
): Promise<string | undefined> {
  const [name, checksumName] = manifestFiles;
  const folder = backupFolder(id, repository);
  if (!(await isRealFolder(folder))) return `${name} is missing`;
  try {
    const bytes = await readRegularFile(path.join(folder, name));
    const checksum = await readRegularFile(path.join(folder, checksumName));
    if (!bytes) return `${name} is missing`;
    if (!checksum) return `${checksumName} is missing`;
    if (checksum.toString("utf8") === `${sha256Of(bytes)}  ${name}\n`) return undefined;
  } catch (error) {
    return messageOf(error);
  }
  return `${name} or ${checksumName} was altered`;
}

/** Parses JSON; `undefined` if it is invalid. */
export function parseJson<T>(
  schema: { readonly safeParse: (value: unknown) => { readonly data?: T | undefined } },
  text: string,
): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Names in a folder; empty when it does not exist. */
export async function readNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
