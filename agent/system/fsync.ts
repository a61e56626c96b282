import { open, readdir } from "node:fs/promises";
import path from "node:path";
import { forEachConcurrently } from "./concurrency";

/** Number of files of a folder that are synced at the same time. */
const concurrentSyncs = 4;

/** Syncs a file, or the directory entries of a folder, to disk. */
export async function fsyncPath(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Syncs a folder and everything in it to disk. File by file, because a sync of the whole file system would make the
 * application's commits wait for all of PostgreSQL's dirty pages.
 */
export async function fsyncFolder(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
  await forEachConcurrently([...paths, folder], concurrentSyncs, fsyncPath);
}
