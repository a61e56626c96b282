import { availableParallelism } from "node:os";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Client } from "pg";
import { columnsFile } from "../../model/backup/columns-file";
import { formatDumpName } from "../../model/backup/dump-name";
import type { BackupJob } from "../../model/backup/job";
import type { BackedUpDatabase, CountedTable } from "../../model/backup/manifest";
import type { BackupId } from "../../model/base/names";
import { parseDuration } from "../../model/base/units";
import { AgentError, messageOf } from "../system/errors";
import { withConnection } from "../postgres/connect";
import { clientEnvironment, connectionString } from "../postgres/client-programs";
import type { Progress } from "../system/progress";
import type { DumpLog } from "../repository/backup-logs";
import { runProgram, type Command } from "../system/run-program";
import { Snapshot } from "./snapshot";

/** Arguments of {@link dumpDatabase}. */
export interface DumpRequest {
  readonly server: string;
  readonly backup: BackupId;
  readonly database: string;
  readonly settings: Pick<BackupJob, "format" | "compression" | "lockTimeout">;
  /** Parallel jobs of `pg_dump`. */
  readonly parallel: number;
  /** The folder to write the dump to. */
  readonly folder: string;
  readonly log: DumpLog;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Parallel jobs of `pg_dump` when the backup job does not set them. */
export const defaultParallel = Math.min(availableParallelism(), 4);

/**
 * Dumps a database and counts its rows, both in one snapshot. Returns `undefined` when the database does not exist;
 * throws an {@link AgentError} when the dump fails.
 */
export async function dumpDatabase(request: DumpRequest): Promise<BackedUpDatabase | undefined> {
  const { database, settings, log, signal } = request;
  const started = performance.now();
  const lockTimeout = parseDuration(settings.lockTimeout) ?? 0;
  const snapshot = await Snapshot.open(database, lockTimeout);
  if (!snapshot) return undefined;
  try {
    signal.throwIfAborted();
    const dump = formatDumpName(
      { server: request.server, database, backup: request.backup },
      settings.format,
      settings.compression,
    );
    const parallel = settings.format === "directory" ? request.parallel : 1;
    await snapshot.lockTables();
    await writeColumns(path.join(request.folder, columnsFile(dump)), snapshot);
    await runDump({ ...request, dump, parallel, snapshot });
    // After the dump, not concurrently: both together would take more processor time from the application.
    const tables = await countRows(snapshot, signal);
    const { encoding, locale, bytes, largeObjects, extensions, upgrades } = snapshot.facts;
    return {
      name: database,
      dump,
      format: settings.format,
      compression: settings.compression,
      parallel,
      encoding,
      locale,
      bytes,
      tables,
      largeObjects,
      extensions: [...extensions],
      ...(upgrades && { upgrades }),
      seconds: Math.round(performance.now() - started) / 1000,
    };
  } catch (error) {
    const holders = await lockHolders(database).catch(() => []);
    const message = [messageOf(error), ...holders].join("\n");
    log.write(`stopped: ${message}`);
    throw new AgentError(message, { cause: error });
  } finally {
    await snapshot.close();
  }
}

async function writeColumns(file: string, snapshot: Snapshot): Promise<void> {
  const compressed = await promisify(gzip)(JSON.stringify(await snapshot.columns()));
  await writeFile(file, compressed, { mode: 0o600, flag: "wx" });
}

/** Counts the rows of all tables. A running count cannot be cancelled, so aborting closes the connection. */
async function countRows(snapshot: Snapshot, signal: AbortSignal): Promise<CountedTable[]> {
  const onAbort = (): void => {
    void snapshot.close();
  };
  signal.addEventListener("abort", onAbort);
  try {
    return await snapshot.countRows();
  } finally {
    signal.removeEventListener("abort", onAbort);
    signal.throwIfAborted();
  }
}

async function runDump(
  request: DumpRequest & { readonly dump: string; readonly snapshot: Snapshot },
): Promise<void> {
  const { settings, parallel, snapshot, log, progress, signal, database } = request;
  const target = path.join(request.folder, request.dump);
  const { format, compression } = settings;
  const isPiped = compression === "bzip2";
  const milliseconds = 1000 * (parseDuration(settings.lockTimeout) ?? 0);
  const command: Command = [
    "pg_dump",
    "--verbose",
    "--no-password",
    "--no-sync",
    `--format=${format}`,
    `--snapshot=${snapshot.id}`,
    `--lock-wait-timeout=${milliseconds}`,
    ...(format === "directory" ? [`--jobs=${parallel}`] : []),
    // The usual options of a plain dump that is restored with psql.
    ...(format === "plain" ? ["--clean", "--if-exists", "--no-owner"] : []),
    ...(isPiped ? [] : [`--compress=${compression}`, `--file=${target}`]),
    `--dbname=${connectionString(database)}`,
  ];
  const sizes = new Map(
    snapshot.tables.map(({ schema, name, bytes }) => [`${schema}.${name}`, bytes]),
  );
  const onLine = (line: string): void => {
    log.stderrLine(line);
    const table = /^pg_dump: dumping contents of table "(.*)"$/.exec(line)?.[1];
    if (table !== undefined) progress.advance(sizes.get(table) ?? 0);
  };
  const statuses = await runProgram(command, {
    environment: clientEnvironment(),
    onLine,
    signal,
    ...(isPiped && { filter: ["bzip2"] as const, output: target }),
  });
  signal.throwIfAborted();
  if (statuses.every((status) => status === 0)) return;
  const errors = log.errors.join("\n");
  throw new AgentError(errors === "" ? `pg_dump ended with status ${statuses.join(", ")}` : errors);
}

/** Sessions that hold exclusive locks on tables of a database, one line each. */
async function lockHolders(database: string): Promise<string[]> {
  return withConnection("postgres", async (client: Client) => {
    const { rows } = await client.query<{ holder: string }>(
      `SELECT DISTINCT format('held by process %s (%s%s, %s)', a.pid, a.usename,
                CASE WHEN a.application_name = '' THEN '' ELSE ', ' || a.application_name END, a.state) AS holder
       FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database
       WHERE d.datname = $1 AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.locktype = 'relation'`,
      [database],
    );
    return rows.map(({ holder }) => holder);
  });
}
