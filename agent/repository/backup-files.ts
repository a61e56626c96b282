import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { compareFiles, type StoredFile } from "../../model/backup/manifest-comparison";
import { backupBytes, type BackupFile } from "../../model/backup/manifest";
import { sha256OfFile } from "../system/digest";
import { forEachConcurrently } from "../system/concurrency";
import type { BackupId } from "../../model/base/names";
import { Progress } from "../system/progress";
import {
  repositoryFolder,
  manifestProblem,
  readManifest,
  manifestFiles,
  backupFolder,
} from "./repository";

/** Files that are read at the same time. */
const readers = 2;

/** SHA-256 of each of these files in a folder, by its path from there; `onRead` hears of the bytes. */
export async function hashFiles(
  folder: string,
  paths: readonly string[],
  onRead: (bytes: number) => void = () => undefined,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await forEachConcurrently(paths, readers, async (file) => {
    found.set(file, await sha256OfFile(path.join(folder, file), onRead));
  });
  return found;
}

/**
 * The files in a backup's folder, but for those named in `except`. Those whose size is as wanted are read whole for
 * their SHA-256; `onRead` hears of the bytes.
 */
export async function findFiles(
  folder: string,
  wanted: readonly BackupFile[],
  except: readonly string[],
  onRead: (bytes: number) => void = () => undefined,
): Promise<StoredFile[]> {
  const sizes = new Map(wanted.map(({ path, bytes }) => [path, bytes]));
  const found = (await listFiles(folder)).filter(({ path }) => !except.includes(path));
  const readable = found.filter(({ path, bytes, isFile }) => isFile && sizes.get(path) === bytes);
  const hashes = await hashFiles(
    folder,
    readable.map(({ path }) => path),
    onRead,
  );
  return found.map(({ path, bytes }) => ({ path, bytes, sha256: hashes.get(path) ?? null }));
}

interface ListedFile {
  readonly path: string;
  readonly bytes: number;
  readonly isFile: boolean;
}

/** All that is not a folder, in the order of its path from there; what is no ordinary file is told without its size. */
async function listFiles(folder: string, within = ""): Promise<ListedFile[]> {
  const names = (await readdir(path.join(folder, within))).sort();
  const listed: ListedFile[] = [];
  for (const name of names) {
    const relative = path.join(within, name);
    const facts = await lstat(path.join(folder, relative));
    if (facts.isDirectory()) listed.push(...(await listFiles(folder, relative)));
    else listed.push({ path: relative, bytes: facts.size, isFile: facts.isFile() });
  }
  return listed;
}

/** What is wrong with the files of a backup, a sentence each. */
export async function fileProblems(
  id: BackupId,
  repository = repositoryFolder,
): Promise<readonly string[]> {
  const sealed = await manifestProblem(id, repository);
  if (sealed !== undefined) return [sealed];
  const manifest = await readManifest(id, repository);
  if (!manifest) return [`${manifestFiles[0]} is not one that this version can read`];
  const progress = new Progress(`verify ${id}`, backupBytes(manifest));
  const found = await findFiles(
    backupFolder(id, repository),
    manifest.files,
    manifestFiles,
    (bytes) => {
      progress.advance(bytes);
    },
  );
  return compareFiles(manifest.files, found);
}
