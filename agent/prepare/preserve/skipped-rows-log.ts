import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { SkipReason } from "../../../model/preserve/protocol";
import { logPath } from "../../system/restore-reports";

/** A row, or a part of it, that was not carried over. */
export interface SkippedRow {
  readonly table: string;
  readonly reason: SkipReason;
  readonly message: string;
  readonly row: Readonly<Record<string, string | null>>;
}

/** Log of skipped rows, one JSON document per line. The file appears only when it is complete. */
export class SkippedRowsLog {
  #file: FileHandle | undefined;

  constructor(private readonly name: string) {}

  /** Adds a row. */
  async add(row: SkippedRow): Promise<void> {
    if (!this.#file) {
      await mkdir(path.dirname(this.#path), { recursive: true });
      this.#file = await open(`${this.#path}.partial`, "w", 0o600);
    }
    await this.#file.write(`${JSON.stringify(row)}\n`);
  }

  /** Completes the log. Returns its name; `undefined` when no row was skipped. */
  async finish(): Promise<string | undefined> {
    if (!this.#file) return undefined;
    await this.#file.sync();
    await this.#file.close();
    await rename(`${this.#path}.partial`, this.#path);
    return this.name;
  }

  /** Deletes an incomplete log. */
  async abandon(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    await rm(`${this.#path}.partial`, { force: true });
  }

  get #path(): string {
    return logPath(this.name);
  }
}
