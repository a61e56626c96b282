import { createHash } from "node:crypto";
import { open, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";

/** PostgreSQL's data folder, which both containers of a server have at the same place. */
export const dataFolder = process.env.PGDATA ?? "/var/lib/postgresql/data/pgdata";

/** Files in PostgreSQL's data folder. `images/stagecraft-postgres` includes the first ones and moves the last ones about. */
export const files = {
  /** PostgreSQL's own file, which includes ours at its end. */
  postgresql: path.join(dataFolder, "postgresql.conf"),
  /** What ALTER SYSTEM writes; it outranks all of ours. */
  alterSystem: path.join(dataFolder, "postgresql.auto.conf"),
  settings: path.join(dataFolder, "stagecraft.conf"),
  tls: path.join(dataFolder, "stagecraft-tls.conf"),
  /** The settings of the last start, while newer ones wait for the next. */
  before: path.join(dataFolder, "stagecraft.conf.before"),
  /** Settings that PostgreSQL did not start with. */
  refused: path.join(dataFolder, "stagecraft.conf.refused"),
  /** What PostgreSQL said at a start with new settings. */
  startLog: path.join(dataFolder, "stagecraft-start.log"),
} as const;

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
  const partial = `${file}.partial`;
  await writeFile(partial, text, { mode: 0o600 });
  await sync(partial);
  await rename(partial, file);
  await sync(path.dirname(file));
}

export function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
