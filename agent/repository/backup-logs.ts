import { once } from "node:events";
import type { WriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { escapeFileName } from "../../model/backup/dump-name";
import type { BackupId } from "../../model/base/names";
import { listLogs, logPath, createRestoreLog } from "../system/restore-reports";

/** Progress lines written to a log. */
const maxLines = 2000;

/** Warnings and errors written to a log, and characters of each: a database can cause any number, of any length. */
const maxMessages = 10_000;
const maxMessageLength = 8_192;

/** Number of backups whose logs are retained. */
const retainedBackups = 30;

/** Longest part of a log's name that comes from the database name; the log has the full name. */
const maxNameLength = 120;

/** Warnings and errors that are shown in the result of a backup. */
const maxErrors = 20;

const namePattern = /^(\d{8}T\d{6}Z)-(?:backup|verify)-.*\.log$/;

/** Name of the log of backing up or verifying one database; `order` is the database's position in the backup. */
export function logName(
  backup: BackupId,
  work: "backup" | "verify",
  database: string,
  order: number,
): string {
  const escaped = escapeFileName(database);
  // Truncated names could collide, so they get a number.
  const part =
    escaped.length > maxNameLength ? `${escaped.slice(0, maxNameLength)}.${order}` : escaped;
  return `${backup}-${work}-${part}.log`;
}

/** Log of the dump of one database, in the agent's volume. */
export class DumpLog {
  /** Warnings and errors of the programs. */
  readonly errors: string[] = [];
  #lines = 0;
  #messages = 0;

  private constructor(
    readonly name: string,
    private readonly file: WriteStream,
  ) {}

  static async open(backup: BackupId, database: string, order: number): Promise<DumpLog> {
    const name = logName(backup, "backup", database, order);
    const file = await createRestoreLog(name);
    // The backup continues when its log cannot be written.
    file.on("error", () => undefined);
    return new DumpLog(name, file);
  }

  /** Records a line of a program's stderr. */
  stderrLine(line: string): void {
    if (!/^pg_dump: (?!error:|warning:|detail:|hint:)/.test(line)) {
      const message = line.slice(0, maxMessageLength);
      if (this.errors.length < maxErrors) this.errors.push(message);
      if (++this.#messages <= maxMessages) this.file.write(`${message}\n`);
    } else if (++this.#lines <= maxLines) this.file.write(`${line}\n`);
  }

  /** Writes a line of the agent's own. */
  write(line: string): void {
    this.file.write(`${line}\n`);
  }

  async close(): Promise<void> {
    const further = Math.max(0, this.#lines - maxLines) + Math.max(0, this.#messages - maxMessages);
    if (further > 0) this.write(`${further} further lines`);
    if (this.file.closed) return;
    this.file.end();
    await once(this.file, "close").catch(() => undefined);
  }
}

/** Removes the backup and verification logs of all but the newest backups and attempts. */
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
