import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { reservedBytes } from "../../model/dump/disk-space";
import { formatBytes } from "../../model/base/units";
import { isExternal } from "./external-connection";
import { EnvironmentError, messageOf } from "../system/errors";
import { withConnection } from "./connect";
import { logLine } from "../system/progress";

/** Milliseconds between two checks of the disk: rare enough to cost nothing, frequent enough for a disk that fills at 1 GB/s. */
const intervalMs = 50;

/** PostgreSQL's data directory; `undefined` on an external server. */
export async function findDataFolder(client: Client): Promise<string | undefined> {
  if (isExternal) return undefined;
  const { rows } = await client.query<{ folder: string }>(
    "SELECT current_setting('data_directory') AS folder",
  );
  return rows[0]?.folder ?? "/var/lib/postgresql/data";
}

/** Free bytes on the volume of PostgreSQL's data directory; `null` on an external server. */
export async function freeDataBytes(client: Client): Promise<number | null> {
  const folder = await findDataFolder(client);
  return folder === undefined ? null : freeBytes(folder);
}

/** Free bytes on the volume of a folder. */
async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Runs the work of a restore, and terminates all sessions in its database before the disk is full: when PostgreSQL
 * cannot write WAL, the whole server stops, including the live databases. Throws an {@link EnvironmentError} when the
 * sessions were terminated.
 *
 * @param folder PostgreSQL's data directory; `undefined` to run the work unguarded.
 */
export async function withDiskSpaceGuard<T>(
  folder: string | undefined,
  database: string,
  work: () => Promise<T>,
): Promise<T> {
  if (folder === undefined) return work();
  // Connect before the disk fills: later PostgreSQL may be too busy to accept a connection.
  const { left, outcome } = await withConnection("postgres", async (client) => {
    const stop = new AbortController();
    const watching = watch(folder, client, database, stop.signal);
    const [outcome] = await Promise.allSettled([work()]);
    stop.abort();
    return { left: await watching, outcome };
  });
  if (left === undefined) {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }
  throw new EnvironmentError(
    `the restore was stopped before PostgreSQL's volume was full, with ${formatBytes(left)} left; free some space or move the volume to a larger disk, then run the same command again`,
  );
}

/** Watches the disk until `signal` aborts. Returns the free bytes at which it terminated the sessions, if it did. */
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
        await terminateSessions(client, database);
      } catch (error) {
        logLine(`cannot stop the restore: ${messageOf(error)}`);
        return stoppedAt;
      }
    }
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
  return stoppedAt;
}

async function terminateSessions(client: Client, database: string): Promise<void> {
  await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [
    database,
  ]);
}
