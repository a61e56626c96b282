import { mkdir, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { stateFolder } from "./state-folder";

/** Path of a dump received for a database: a file, or a folder for pg_dump's directory format. */
export function dumpPath(database: string, sha256: string): string {
  return path.join(dumpFolder(database), sha256);
}

/** One folder per database, so that deleting the dump of one does not affect another. The name is in hexadecimal to be a valid file name. */
function dumpFolder(database: string): string {
  return path.join(stateFolder, "dumps", Buffer.from(database).toString("hex"));
}

/** Finds a received dump; `undefined` when it is missing. */
export async function findDump(
  database: string,
  sha256: string,
): Promise<
  { readonly path: string; readonly isFolder: boolean; readonly bytes: number } | undefined
> {
  const dump = dumpPath(database, sha256);
  const found = await stat(dump).catch(() => undefined);
  if (!found) return undefined;
  const isFolder = found.isDirectory();
  return { path: dump, isFolder, bytes: isFolder ? await folderBytes(dump) : found.size };
}

/** Deletes a received dump and the files derived from it. */
export async function deleteDump(database: string, sha256: string): Promise<void> {
  const names = await readdir(dumpFolder(database)).catch(() => []);
  await Promise.all(
    names
      .filter((name) => name.startsWith(sha256))
      .map((name) => rm(path.join(dumpFolder(database), name), { recursive: true, force: true })),
  );
}

/** Creates an empty folder for the next dump of a database and deletes the previous dumps. */
export async function createDumpFolder(database: string): Promise<void> {
  await rm(dumpFolder(database), { recursive: true, force: true });
  await mkdir(dumpFolder(database), { recursive: true });
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(path.join(folder, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
