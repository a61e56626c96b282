import { link, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";

/**
 * `pg_hba.conf` on disk. It changes by renames only, so it is whole at every moment.
 *
 * While new rules are on trial, the rules before them lie beside as `pg_hba.conf.proven`. Where that file is found, a
 * change was interrupted, and it is what to go back to.
 */
export class HbaFile {
  readonly #candidate: string;
  readonly #proven: string;

  private constructor(readonly path: string) {
    this.#candidate = `${path}.candidate`;
    this.#proven = `${path}.proven`;
  }

  /** The file that PostgreSQL reads. */
  static async of(client: Client): Promise<HbaFile> {
    const { rows } = await client.query<{ file: string }>(
      "SELECT current_setting('hba_file') AS file",
    );
    return HbaFile.at(rows[0]?.file ?? "");
  }

  /** The file of this path, whether it is there or not. */
  static async at(setting: string): Promise<HbaFile> {
    // Where it is a link, the file it leads to is the one to change.
    return new HbaFile(await realpath(setting).catch(() => setting));
  }

  /** The bytes in place; none when somebody has removed the file. */
  async read(): Promise<Buffer> {
    return readFile(this.path).catch(orIfMissing(Buffer.alloc(0)));
  }

  /** When it was written or put in its place, in seconds since 1970; not `pg_stat_file`, which knows whole seconds only. */
  async changedAtSeconds(): Promise<number> {
    return (await stat(this.path)).ctimeMs / 1000;
  }

  /** Writes a candidate beside the file, safely on disk; its path. */
  async writeCandidate(contents: string | Buffer): Promise<string> {
    await this.deleteCandidate();
    const handle = await open(this.#candidate, "wx", 0o600);
    try {
      await handle.writeFile(contents);
      await handle.chmod(await this.#mode());
      await handle.sync();
    } finally {
      await handle.close();
    }
    return this.#candidate;
  }

  /** Removes the candidate. */
  async deleteCandidate(): Promise<void> {
    await rm(this.#candidate, { force: true });
  }

  /** Gives the candidate the file's place. */
  async activateCandidate(): Promise<void> {
    await rename(this.#candidate, this.path);
    await this.#syncFolder();
  }

  /** Gives the candidate the file's place, and keeps the file for {@link restoreProven}. */
  async startTrial(): Promise<void> {
    await link(this.path, this.#proven).catch(orIfMissing(undefined));
    await this.#syncFolder();
    await this.activateCandidate();
  }

  /** Whether a trial has not come to its end. */
  async isOnTrial(): Promise<boolean> {
    return (await stat(this.#proven).catch(orIfMissing(undefined))) !== undefined;
  }

  /** Puts the rules from before in their place again; the trial ends by {@link endTrial}, when they are in force. */
  async restoreProven(): Promise<void> {
    if (!(await this.isOnTrial())) throw new Error("there were none");
    await this.writeCandidate(await readFile(this.#proven));
    await this.activateCandidate();
  }

  /** Ends the trial: the file in place stays. */
  async endTrial(): Promise<void> {
    await rm(this.#proven, { force: true });
    await this.#syncFolder();
  }

  async #mode(): Promise<number> {
    const found = await stat(this.path).catch(orIfMissing(undefined));
    return found === undefined ? 0o600 : found.mode & 0o777;
  }

  async #syncFolder(): Promise<void> {
    const handle = await open(path.dirname(this.path), "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** Takes a missing file for `instead`. */
function orIfMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return instead;
    throw error;
  };
}
