import { constants, type Stats } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { AgentError } from "./errors";
import { requireRealPath } from "./real-folder";

/** Largest file that is read into memory, in bytes: a manifest of 20,000 tables has 10 MB. */
const maxBytes = 256 * 2 ** 20;

/**
 * Reads a file that others may write to; `undefined` when it does not exist. Throws an {@link AgentError} when it is not a
 * regular file, or reached through a symbolic link: a link could lead to a secret, a pipe never ends, a device has no size.
 *
 * @param most Largest size, in bytes.
 */
export async function readRegularFile(file: string, most = maxBytes): Promise<Buffer | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let handle;
  try {
    handle = await open(file, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ELOOP" || code === "ENXIO") throw notRegular(file);
    throw error;
  }
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw notRegular(file);
    if (facts.size > most) throw new AgentError(`${file} is too large`);
    await requireRealPath(handle, file);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** The same; also `undefined` when it is not a regular file. */
export async function readIfRegularFile(file: string, most?: number): Promise<Buffer | undefined> {
  try {
    return await readRegularFile(file, most);
  } catch (error) {
    if (error instanceof AgentError) return undefined;
    throw error;
  }
}

/** Whether a path is a folder itself, not a symbolic link to one. */
export async function isRealFolder(folder: string): Promise<boolean> {
  const facts: Stats | undefined = await lstat(folder).catch(() => undefined);
  return facts?.isDirectory() ?? false;
}

function notRegular(file: string): AgentError {
  return new AgentError(`${file} is not a regular file, and the agent follows no link; remove it`);
}
