import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import type { FoundFile } from "../../model/backup/comparison";
import type { BackupFile } from "../../model/backup/manifest";
import { sha256OfFile } from "../digest";

/** Files that are read at the same time. */
export const readers = 2;

/**
 * The files in a backup's folder, but for those named in `except`. Those whose size is as wanted are read whole for
 * their SHA-256; `onRead` hears of the bytes.
 */
export async function findFiles(
  folder: string,
  wanted: readonly BackupFile[],
  except: readonly string[],
  onRead: (bytes: number) => void = () => undefined,
): Promise<FoundFile[]> {
  const sizes = new Map(wanted.map(({ path, bytes }) => [path, bytes]));
  const found = (await listFiles(folder)).filter(({ path }) => !except.includes(path));
  const files = found.map((file): { -readonly [K in keyof FoundFile]: FoundFile[K] } => ({
    ...{ path: file.path, bytes: file.bytes, sha256: null },
  }));
  const queue = files
    .filter((file, index) => found[index]?.isFile === true && sizes.get(file.path) === file.bytes)
    .values();
  const read = async (): Promise<void> => {
    for (const file of queue) {
      file.sha256 = await sha256OfFile(path.join(folder, file.path), onRead);
    }
  };
  await Promise.all(Array.from({ length: readers }, read));
  return files;
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
