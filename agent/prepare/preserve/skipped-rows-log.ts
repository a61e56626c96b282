import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { SkipReason } from "../../../model/preserve/protocol";
import { logPath } from "../../system/restore-reports";

/** A row, or the part of one, that was not carried over. */
export interface SkippedRow {
  readonly table: string;
  readonly reason: SkipReason;
  readonly message: string;
  readonly row: Readonly<Record<string, string | null>>;
}

/** A log of the agent for what was put aside, one JSON document a line. It is there whole or not at all. */
export class SkippedRowsLog {
  #file: FileHandle | undefined;

  constructor(private readonly name: string) {}

  /** Writes one down. */
  async add(row: SkippedRow): Promise<void> {
    if (!this.#file) {
      await mkdir(path.dirname(this.#path), { recursive: true });
      this.#file = await open(`${this.#path}.partial`, "w", 0o600);
    }
    await this.#file.write(`${JSON.stringify(row)}\n`);
  }

  /** Says that all is written; the log's name, or `undefined` when nothing was put aside. */
  async finish(): Promise<string | undefined> {
    if (!this.#file) return undefined;
    await this.#file.sync();
    await this.#file.close();
    await rename(`${this.#path}.partial`, this.#path);
    return this.name;
  }

  /** Leaves nothing behind, when it has not been finished. */
  async abandon(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    await rm(`${this.#path}.partial`, { force: true });
  }

  get #path(): string {
    return logPath(this.name);
  }
}
