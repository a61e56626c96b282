import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fsyncPath } from "./fsync";

/** Reads a text file; `undefined` when it does not exist. */
export async function readTextIfExists(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Replaces a file: after a crash it has either its previous or its new contents, never a part of them. */
export async function writeFileAtomically(file: string, text: string): Promise<void> {
  // One name per process, because two processes may write the same file at once.
  const partial = `${file}.${process.pid}.partial`;
  try {
    await writeFile(partial, text, { mode: 0o600 });
    await fsyncPath(partial);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await fsyncPath(path.dirname(file));
}
