import { once } from "node:events";
import type { WriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { escapeFileName } from "../../model/backup/dump-name";
import type { BackupId } from "../../model/base/names";
import { listLogs, logPath, createRestoreLog } from "../system/restore-reports";

/** Lines about what goes on that a log takes; complaints are written always. */
const maxLines = 2000;

/** Backups whose logs are kept. */
const retainedBackups = 30;

/** The longest part of a log's name that is the database's; the log tells its whole name. */
const maxNameLength = 120;

/** Complaints that are kept for the person who reads what became of a backup. */
const maxErrors = 20;

const namePattern = /^(\d{8}T\d{6}Z)-(?:backup|verify)-.*\.log$/;

/** The name of the log of what is done with one database of a backup, the `order`th of them. */
export function logName(
  backup: BackupId,
  work: "backup" | "verify",
  database: string,
  order: number,
): string {
  const escaped = escapeFileName(database);
  // Cut names could be the same, so they get a number.
  const part = escaped.length > maxNameLength ? `${escaped.slice(0, maxNameLength)}.${order}` : escaped;
  return `${backup}-${work}-${part}.log`;
}

/** The log of one database's dump, in the agent's volume. */
export class DumpLog {
  /** What the programs complained of. */
  readonly errors: string[] = [];
  #lines = 0;

  private constructor(
    readonly name: string,
    private readonly file: WriteStream,
  ) {}

  static async open(backup: BackupId, database: string, order: number): Promise<DumpLog> {
    const name = logName(backup, "backup", database, order);
    const file = await createRestoreLog(name);
    // A log that cannot be written is no reason not to make a backup.
    file.on("error", () => undefined);
    return new DumpLog(name, file);
  }

  /** A line of a program's stderr. */
  stderrLine(line: string): void {
    if (!/^pg_dump: (?!error:|warning:|detail:|hint:)/.test(line)) {
      if (this.errors.length < maxErrors) this.errors.push(line);
      this.file.write(`${line}\n`);
    } else if (++this.#lines <= maxLines) this.file.write(`${line}\n`);
  }

  /** A line of our own. */
  write(line: string): void {
    this.file.write(`${line}\n`);
  }

  async close(): Promise<void> {
    if (this.#lines > maxLines) this.write(`${this.#lines - maxLines} further lines`);
    if (this.file.closed) return;
    this.file.end();
    await once(this.file, "close").catch(() => undefined);
  }
}

/** Removes the logs of all but the newest backups and attempts, those of their verification too. */
export async function pruneBackupLogs(): Promise<void> {
  const logs = (await listLogs()).flatMap((name) => {
    const backup = namePattern.exec(name)?.[1];
    return backup === undefined ? [] : [{ name, backup }];
  });
  const backups = [...new Set(logs.map(({ backup }) => backup))].sort();
  const old = new Set(backups.slice(0, -retainedBackups));
  await Promise.all(
    logs
      .filter(({ backup }) => old.has(backup))
      .map(({ name }) => rm(logPath(name), { force: true })),
  );
}
