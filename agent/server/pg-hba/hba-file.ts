import { link, lstat, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { dataFolder } from "../parameters/config-files";
import { AgentError } from "../../system/errors";
import { withRealFolder } from "../../system/real-folder";
import { readRegularFile } from "../../system/regular-file";

/**
 * `pg_hba.conf` on disk. It is changed only by renames, so it is complete at any time. A symbolic link in its place, or in
 * that of a file next to it, is not followed.
 *
 * While new rules are on trial, the previous rules are stored in `pg_hba.conf.proven`. If that file exists, a change was
 * interrupted and must be rolled back to it.
 */
export class HbaFile {
  readonly path = path.join(dataFolder, "pg_hba.conf");
  readonly #candidate = `${this.path}.candidate`;
  readonly #proven = `${this.path}.proven`;

  /** The file that PostgreSQL reads. Throws an {@link AgentError} when it is not the one in the data folder. */
  static async of(client: Client): Promise<HbaFile> {
    const { rows } = await client.query<{ file: string }>(
      "SELECT current_setting('hba_file') AS file",
    );
    const file = new HbaFile();
    const setting = rows[0]?.file ?? "";
    if (setting === file.path) return file;
    throw new AgentError(
      `PostgreSQL reads its access rules from ${setting} instead of ${file.path}; remove hba_file from its parameters and restart it`,
    );
  }

  /** The contents of the file; empty when it is missing. */
  async read(): Promise<Buffer> {
    return (await readRegularFile(this.path)) ?? Buffer.alloc(0);
  }

  /** Whether PostgreSQL has read the file since it was changed. */
  async isLoaded(client: Client): Promise<boolean> {
    // pg_stat_file would return whole seconds only.
    const changedAt = await this.#inFolder(
      async (at) => (await lstat(at(this.path))).ctimeMs / 1000,
    );
    const { rows } = await client.query<{ loaded: boolean }>(
      "SELECT pg_catalog.to_timestamp($1::float8) < pg_catalog.pg_conf_load_time() AS loaded",
      [changedAt],
    );
    return rows[0]?.loaded ?? false;
  }

  /** Writes a candidate next to the file and syncs it to disk. Returns its path. */
  async writeCandidate(contents: string | Buffer): Promise<string> {
    const mode = await this.#mode();
    await this.#inFolder(async (at) => {
      await rm(at(this.#candidate), { force: true });
      const handle = await open(at(this.#candidate), "wx", 0o600);
      try {
        await handle.writeFile(contents);
        await handle.chmod(mode);
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
    return this.#candidate;
  }

  /** Deletes the candidate. */
  async deleteCandidate(): Promise<void> {
    await this.#inFolder(async (at) => rm(at(this.#candidate), { force: true }));
  }

  /** Replaces the file by the candidate. */
  async activateCandidate(): Promise<void> {
    await this.#inFolder(async (at) => rename(at(this.#candidate), at(this.path)));
    await this.#syncFolder();
  }

  /** Replaces the file by the candidate, and stores the previous file for {@link HbaFile.restoreProven}. */
  async startTrial(): Promise<void> {
    await this.#inFolder(async (at) => link(at(this.path), at(this.#proven))).catch(
      orIfMissing(undefined),
    );
    await this.#syncFolder();
    await this.activateCandidate();
  }

  /** Whether a trial has not ended. */
  async isOnTrial(): Promise<boolean> {
    const facts = this.#inFolder(async (at) => lstat(at(this.#proven)));
    return (await facts.catch(orIfMissing(undefined))) !== undefined;
  }

  /** Restores the previous file. Call {@link HbaFile.endTrial} once PostgreSQL has loaded it. */
  async restoreProven(): Promise<void> {
    const previous = await readRegularFile(this.#proven);
    if (previous === undefined) throw new Error("no trial is open");
    await this.writeCandidate(previous);
    await this.activateCandidate();
  }

  /** Ends the trial; the current file stays. */
  async endTrial(): Promise<void> {
    await this.#inFolder(async (at) => rm(at(this.#proven), { force: true }));
    await this.#syncFolder();
  }

  async #mode(): Promise<number> {
    const found = await this.#inFolder(async (at) => lstat(at(this.path))).catch(
      orIfMissing(undefined),
    );
    return found?.isFile() === true ? found.mode & 0o777 : 0o600;
  }

  /** Works in the folder of the file. `at` gives the path by which to reach a file of it. */
  async #inFolder<T>(work: (at: (file: string) => string) => Promise<T>): Promise<T> {
    return withRealFolder(path.dirname(this.path), async (folder) =>
      work((file) => path.join(folder, path.basename(file))),
    );
  }

  async #syncFolder(): Promise<void> {
    await withRealFolder(path.dirname(this.path), async (_, handle) => handle.sync());
  }
}

/** Handler that returns a default for a missing file and throws any other error. */
function orIfMissing<T>(fallback: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return fallback;
    throw error;
  };
}
