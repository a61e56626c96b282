import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fsyncPath } from "./fsync";
import { withRealFolder } from "./real-folder";
import { readRegularFile } from "./regular-file";

/** Reads a text file, without following a symbolic link; `undefined` when it does not exist. */
export async function readTextIfExists(file: string): Promise<string | undefined> {
  return (await readRegularFile(file))?.toString("utf8");
}

/** Number of files written by this process. */
let written = 0;

/**
 * Replaces a file: after a crash it has either its previous or its new contents, never a part of them. Does not follow
 * symbolic links: of one in place of the file, the link is replaced.
 */
export async function writeFileAtomically(file: string, text: string): Promise<void> {
  await withRealFolder(path.dirname(file), async (folder, handle) => {
    const target = path.join(folder, path.basename(file));
    // A name of its own, because the same file may be written more than once at the same time, also by other processes.
    const partial = `${target}.${process.pid}-${++written}.partial`;
    try {
      await rm(partial, { force: true });
      await writeFile(partial, text, { mode: 0o600, flag: "wx" });
      await fsyncPath(partial);
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    await handle.sync();
  });
}
