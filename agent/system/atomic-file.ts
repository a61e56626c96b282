import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fsyncPath } from "./fsync";

/** The text of a file; `undefined` when there is none. */
export async function readTextIfExists(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts a text in the place of a file: after a crash the file is the former one or the new one, never half of it. */
export async function writeFileAtomically(file: string, text: string): Promise<void> {
  // Of its own for each process: two may write the same file at once.
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
