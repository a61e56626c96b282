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
} from "./stored-backup";

/** Files read concurrently. */
const readers = 2;

/** SHA-256 of each of these files in a folder, by its relative path; `onRead` receives the number of bytes read. */
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
 * The files in a backup's folder, except those named in `except`. A file of the expected size is read for its SHA-256;
 * the others have `null`. `onRead` receives the number of bytes read.
 */
export async function findFiles(
  folder: string,
  expected: readonly BackupFile[],
  except: readonly string[],
  onRead: (bytes: number) => void = () => undefined,
): Promise<StoredFile[]> {
  const sizes = new Map(expected.map(({ path, bytes }) => [path, bytes]));
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

/** Everything in a folder that is not a folder, with its relative path, sorted; `isFile` is false for links, sockets and devices. */
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

/** What is wrong with the files of a backup, one sentence per problem; empty when they match the manifest. */
export async function fileProblems(
  id: BackupId,
  repository = repositoryFolder,
): Promise<readonly string[]> {
  const problem = await manifestProblem(id, repository);
  if (problem !== undefined) return [problem];
  const manifest = await readManifest(id, repository);
  if (!manifest) return [`this version cannot read ${manifestFiles[0]}`];
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
