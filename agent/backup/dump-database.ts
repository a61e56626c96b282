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
import { sessionOptions, withConnection } from "../postgres/connect";
import { clientEnvironment, connectionString } from "../postgres/client-programs";
import type { Progress } from "../system/progress";
import type { DumpLog } from "../repository/backup-logs";
import { runProgram, type Command } from "../system/run-program";
import { Snapshot } from "./snapshot";

/** What a dump is made of, and where it goes. */
export interface DumpRequest {
  readonly server: string;
  readonly backup: BackupId;
  readonly database: string;
  readonly settings: Pick<BackupJob, "format" | "compression" | "lockTimeout">;
  /** Jobs of `pg_dump`. */
  readonly parallel: number;
  /** The folder of the backup. */
  readonly folder: string;
  readonly log: DumpLog;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Jobs of `pg_dump` for a job that does not say. */
export const defaultParallel = Math.min(availableParallelism(), 4);

/**
 * Dumps a database and counts its rows, both in one snapshot. `undefined` when the database is not there; otherwise
 * the dump is whole, or this raises what went wrong.
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
    // Not beside the dump: together they would take more of the processors from the application than a dump alone.
    const tables = await count(snapshot, signal);
    const { encoding, locale, bytes, largeObjects, extensions, upgrades } = snapshot.facts;
    return {
      ...{ name: database, dump, format: settings.format, compression: settings.compression },
      ...{ parallel, encoding, locale, bytes, tables, largeObjects, extensions: [...extensions] },
      ...(upgrades && { upgrades }),
      seconds: Math.round(performance.now() - started) / 1000,
    };
  } catch (error) {
    const holders = await lockHolders(database).catch(() => []);
    const told = [messageOf(error), ...holders].join("\n");
    log.write(`stopped: ${told}`);
    throw new AgentError(told, { cause: error });
  } finally {
    await snapshot.close();
  }
}

async function writeColumns(file: string, snapshot: Snapshot): Promise<void> {
  const packed = await promisify(gzip)(JSON.stringify(await snapshot.columns()));
  await writeFile(file, packed, { mode: 0o600, flag: "wx" });
}

/** Counting cannot be told to stop; closing the connection ends it. */
async function count(snapshot: Snapshot, signal: AbortSignal): Promise<CountedTable[]> {
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
  const piped = compression === "bzip2";
  const milliseconds = 1000 * (parseDuration(settings.lockTimeout) ?? 0);
  const command: Command = [
    "pg_dump",
    ...["--verbose", "--no-password", "--no-sync", `--format=${format}`],
    ...[`--snapshot=${snapshot.id}`, `--lock-wait-timeout=${milliseconds}`],
    ...(format === "directory" ? [`--jobs=${parallel}`] : []),
    // As the procedure that people know makes them.
    ...(format === "plain" ? ["--clean", "--if-exists", "--no-owner"] : []),
    ...(piped ? [] : [`--compress=${compression}`, `--file=${target}`]),
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
    environment: clientEnvironment(sessionOptions()),
    onLine,
    signal,
    ...(piped && { filter: ["bzip2"] as const, output: target }),
  });
  signal.throwIfAborted();
  if (statuses.every((status) => status === 0)) return;
  const said = log.errors.join("\n");
  throw new AgentError(said === "" ? `pg_dump ended with status ${statuses.join(", ")}` : said);
}

/** Who keeps others from tables of a database, for the person who has to ask them. */
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
