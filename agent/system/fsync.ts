import { open, readdir } from "node:fs/promises";
import path from "node:path";
import { forEachConcurrently } from "./concurrency";

/** Files of a folder that are put on the disk at the same time. */
const concurrentSyncs = 4;

/** Puts a file, or the names in a folder, on the disk. */
export async function fsyncPath(place: string): Promise<void> {
  const handle = await open(place, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Puts a folder on the disk with all that is in it. Each file by itself, because syncing the whole file system would
 * have the application's commits wait for everything that PostgreSQL still keeps to be written there.
 */
export async function fsyncFolder(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const places = entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
  await forEachConcurrently([...places, folder], concurrentSyncs, fsyncPath);
}
