import { constants } from "node:fs";
import { open, readlink, rename, rm, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { AgentError } from "./errors";

/**
 * Works in a folder of a volume that others can write to. `work` gets a path to the folder that stays the same folder
 * whatever happens to its name: it leads through the open folder. Throws an {@link AgentError} when the folder is reached
 * through a symbolic link, which could lead to files of the agent.
 */
export async function withRealFolder<T>(
  folder: string,
  work: (folder: string, handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await requireRealPath(handle, folder);
    const pinned = `/proc/self/fd/${handle.fd}`;
    try {
      return await work(pinned, handle);
    } catch (error) {
      throw withRealPaths(error, pinned, folder);
    }
  } finally {
    await handle.close();
  }
}

/** The same for one file in the folder; the path need not exist. */
export async function atRealPath<T>(file: string, work: (file: string) => Promise<T>): Promise<T> {
  return withRealFolder(path.dirname(file), async (folder) =>
    work(path.join(folder, path.basename(file))),
  );
}

/** Throws an {@link AgentError} when what was opened is stored elsewhere than its path says. proc(5), `/proc/[pid]/fd`. */
export async function requireRealPath(handle: FileHandle, file: string): Promise<void> {
  const real = await readlink(`/proc/self/fd/${handle.fd}`);
  if (real === path.resolve(file)) return;
  throw new AgentError(
    `${file} is reached through a symbolic link (to ${real}), and the agent follows none; replace the link by what it leads to`,
  );
}

/** Deletes a file; a missing one is no error. Of a symbolic link, the link is deleted. */
export async function removeFile(file: string): Promise<void> {
  await atRealPath(file, async (pinned) => rm(pinned, { force: true })).catch(ignoreMissing);
}

/** Renames a file within its folder. */
export async function renameFile(from: string, to: string): Promise<void> {
  await withRealFolder(path.dirname(from), async (folder) =>
    rename(path.join(folder, path.basename(from)), path.join(folder, path.basename(to))),
  );
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

/** An error of the file system, with the path that the caller has. */
function withRealPaths(error: unknown, pinned: string, folder: string): unknown {
  if (!(error instanceof Error)) return error;
  const failure: NodeJS.ErrnoException = error;
  failure.message = failure.message.replaceAll(pinned, folder);
  if (failure.path !== undefined) failure.path = failure.path.replace(pinned, folder);
  return failure;
}
