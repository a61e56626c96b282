import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { logLine } from "../system/progress";
import type { LockKey } from "./advisory-locks";
import { ownDatabase } from "./own-database";
import { describeSession, sessionColumns, type FoundSession } from "./sessions";

/** Milliseconds between attempts to take a lock. */
const retryMs = 500;

/** Seconds of waiting after which the log says who holds a lock, and between repetitions of that. */
const firstReportSeconds = 5;
const reportSeconds = 60;

/** Tries to take a lock; the session holds it until {@link unlock} or its end. */
export async function tryLock(client: Client, key: LockKey): Promise<boolean> {
  requireOwnDatabase(client);
  const { rows } = await client.query<{ locked: boolean }>(
    "SELECT pg_catalog.pg_try_advisory_lock($1, $2) AS locked",
    [...key],
  );
  return rows[0]?.locked ?? false;
}

/** Options of {@link waitForLock}. */
export interface LockWait {
  /** What holds the lock as a rule, e.g. `another restore of shop`; logged when the wait begins. */
  readonly holder: string | (() => Promise<string>);
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * Takes a lock; waits while another session holds it, and logs who that is. The session holds the lock until
 * {@link unlock} or its end.
 */
export async function waitForLock(
  client: Client,
  key: LockKey,
  { holder, signal }: LockWait,
): Promise<void> {
  if (await tryLock(client, key)) return;
  const started = performance.now();
  logLine(`${typeof holder === "string" ? holder : await holder()} is running; waiting for it`);
  let nextReport = firstReportSeconds;
  do {
    await sleep(retryMs, undefined, signal ? { signal } : {});
    const seconds = (performance.now() - started) / 1000;
    if (seconds < nextReport) continue;
    nextReport = seconds + reportSeconds;
    for (const session of await lockHolders(client, key))
      logLine(`still waiting for ${describeSession(session, new Date())}`);
  } while (!(await tryLock(client, key)));
}

/** Releases a lock before the session ends. */
export async function unlock(client: Client, key: LockKey): Promise<void> {
  await client.query("SELECT pg_catalog.pg_advisory_unlock($1, $2)", [...key]);
}

/** Runs `work` while the session holds a lock. */
export async function withLock<T>(
  client: Client,
  key: LockKey,
  wait: LockWait,
  work: () => Promise<T>,
): Promise<T> {
  await waitForLock(client, key, wait);
  try {
    return await work();
  } finally {
    // PostgreSQL has released the locks of a lost session.
    await unlock(client, key).catch(() => undefined);
  }
}

/** The sessions that hold a lock. The connection may be to any database. */
export async function lockHolders(client: Client, key: LockKey): Promise<FoundSession[]> {
  const { rows } = await client.query<FoundSession>(
    `SELECT DISTINCT ${sessionColumns} FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::int4::oid AND l.objid = $2::int4::oid AND l.objsubid = 2
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = $3)`,
    [...key, ownDatabase],
  );
  return rows;
}

/** In another database everybody who may connect to it could take the same keys. */
function requireOwnDatabase({ database }: Client): void {
  if (database !== ownDatabase)
    throw new Error(
      `a lock was requested in the database ${database ?? ""}, not in ${ownDatabase}`,
    );
}
