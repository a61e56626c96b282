import { link, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";

/**
 * `pg_hba.conf` on disk. It is changed only by renames, so it is complete at any time.
 *
 * While new rules are on trial, the previous rules are stored in `pg_hba.conf.proven`. If that file exists, a change was
 * interrupted and must be rolled back to it.
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

  /** The file at a path, which need not exist. */
  static async at(setting: string): Promise<HbaFile> {
    // For a symbolic link, change its target.
    return new HbaFile(await realpath(setting).catch(() => setting));
  }

  /** The contents of the file; empty when it is missing. */
  async read(): Promise<Buffer> {
    return readFile(this.path).catch(orIfMissing(Buffer.alloc(0)));
  }

  /** Time of the last write or rename, in seconds since 1970. `pg_stat_file` would return whole seconds only. */
  async changedAtSeconds(): Promise<number> {
    return (await stat(this.path)).ctimeMs / 1000;
  }

  /** Writes a candidate next to the file and syncs it to disk. Returns its path. */
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

  /** Deletes the candidate. */
  async deleteCandidate(): Promise<void> {
    await rm(this.#candidate, { force: true });
  }

  /** Replaces the file by the candidate. */
  async activateCandidate(): Promise<void> {
    await rename(this.#candidate, this.path);
    await this.#syncFolder();
  }

  /** Replaces the file by the candidate, and stores the previous file for {@link HbaFile.restoreProven}. */
  async startTrial(): Promise<void> {
    await link(this.path, this.#proven).catch(orIfMissing(undefined));
    await this.#syncFolder();
    await this.activateCandidate();
  }

  /** Whether a trial has not ended. */
  async isOnTrial(): Promise<boolean> {
    return (await stat(this.#proven).catch(orIfMissing(undefined))) !== undefined;
  }

  /** Restores the previous file. Call {@link HbaFile.endTrial} once PostgreSQL has loaded it. */
  async restoreProven(): Promise<void> {
    if (!(await this.isOnTrial())) throw new Error("no trial is open");
    await this.writeCandidate(await readFile(this.#proven));
    await this.activateCandidate();
  }

  /** Ends the trial; the current file stays. */
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

/** Handler that returns a default for a missing file and throws any other error. */
function orIfMissing<T>(fallback: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return fallback;
    throw error;
  };
}
