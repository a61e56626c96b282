import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { reservedBytes } from "../../model/dump/space";
import { formatBytes } from "../../model/base/units";
import { isExternal } from "./external-connection";
import { EnvironmentError, messageOf } from "../system/errors";
import { withConnection } from "./connect";
import { logLine } from "../system/progress";

/** Milliseconds between two looks at the disk: seldom enough to cost nothing, often enough for a disk that fills at 1 GB/s. */
const intervalMilliseconds = 50;

/** The folder of PostgreSQL's data; `undefined` where it is on another machine. */
export async function findDataFolder(client: Client): Promise<string | undefined> {
  if (isExternal) return undefined;
  const { rows } = await client.query<{ folder: string }>(
    "SELECT current_setting('data_directory') AS folder",
  );
  return rows[0]?.folder ?? "/var/lib/postgresql/data";
}

/** Bytes free on the volume of PostgreSQL's data; `null` where it is on another machine. */
export async function freeDataBytes(client: Client): Promise<number | null> {
  const folder = await findDataFolder(client);
  return folder === undefined ? null : freeBytes(folder);
}

/** Bytes free on the volume of a folder. */
async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Does the work of a restore, and ends all sessions in its database before the disk is full: PostgreSQL as a whole goes
 * down when it cannot write its log, and the live databases with it. Throws a {@link EnvironmentError} when that happened.
 * Where the folder cannot be seen nothing is watched.
 */
export async function withDiskSpaceGuard(
  folder: string | undefined,
  database: string,
  work: () => Promise<void>,
): Promise<void> {
  if (folder === undefined) {
    await work();
    return;
  }
  // Connected before the disk fills: by then PostgreSQL may be too busy to let anybody in.
  const { left, worked } = await withConnection("postgres", async (client) => {
    const stop = new AbortController();
    const watching = watch(folder, client, database, stop.signal);
    const [worked] = await Promise.allSettled([work()]);
    stop.abort();
    return { left: await watching, worked };
  });
  if (left === undefined) {
    if (worked.status === "rejected") throw worked.reason;
    return;
  }
  throw new EnvironmentError(
    `the restore was stopped before PostgreSQL's volume was full, with ${formatBytes(left)} left; free some space or move the volume to a larger disk, then run the same command again`,
  );
}

/** Watches until it is stopped; the bytes that were left when it ended the sessions. */
async function watch(
  folder: string,
  client: Client,
  database: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  let stoppedAt: number | undefined;
  while (!signal.aborted) {
    const left = await freeBytes(folder);
    if (left < reservedBytes) {
      stoppedAt ??= left;
      try {
        await endSessions(client, database);
      } catch (error) {
        logLine(`could not stop the restore: ${messageOf(error)}`);
        return stoppedAt;
      }
    }
    await sleep(intervalMilliseconds, undefined, { signal }).catch(() => undefined);
  }
  return stoppedAt;
}

async function endSessions(client: Client, database: string): Promise<void> {
  await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [
    database,
  ]);
}
