import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { syncPath } from "./sync-to-disk";

/** The text of a file; `undefined` when there is none. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts a text in the place of a file: after a crash the file is the former one or the new one, never half of it. */
export async function replaceFile(file: string, text: string): Promise<void> {
  // Of its own for each process: two may write the same file at once.
  const partial = `${file}.${process.pid}.partial`;
  try {
    await writeFile(partial, text, { mode: 0o600 });
    await syncPath(partial);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await syncPath(path.dirname(file));
}
