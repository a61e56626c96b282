import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { formatDuration } from "../../model/base/units";
import { logLine } from "../system/progress";
import { withConnection } from "./connect";

/** A session that another one waits for. */
export interface FoundSession {
  readonly pid: number;
  readonly role: string | null;
  readonly application: string | null;
  readonly address: string | null;
  readonly since: Date | null;
}

/** Columns of `pg_stat_activity AS a` that make a {@link FoundSession}. */
export const sessionColumns =
  "a.pid, a.usename AS role, a.application_name AS application, pg_catalog.host(a.client_addr) AS address, a.backend_start AS since";

/** Seconds of waiting after which the log says who blocks a session, and between repetitions of that. */
const reportSeconds = 5;
const repeatSeconds = 60;

/** Describes a session, with the statement that ends it. */
export function describeSession(
  { pid, role, application, address, since }: FoundSession,
  now: Date,
): string {
  const facts = [
    `role ${role ?? "unknown"}`,
    ...(application === null || application === "" ? [] : [application]),
    ...(address === null ? [] : [`from ${address}`]),
    ...(since === null
      ? []
      : [`connected for ${formatDuration(Math.max(0, (now.getTime() - since.getTime()) / 1000))}`]),
  ];
  return `process ${pid} (${facts.join(", ")}); to end it: SELECT pg_terminate_backend(${pid})`;
}

/** Runs `work` in a session; while it waits for another session, the log says which. */
export async function reportingBlockers<T>(client: Client, work: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_catalog.pg_backend_pid() AS pid");
  const stop = new AbortController();
  const reporting = reportBlockers(rows[0]?.pid ?? 0, stop.signal).catch(() => undefined);
  try {
    return await work();
  } finally {
    stop.abort();
    await reporting;
  }
}

async function reportBlockers(pid: number, signal: AbortSignal): Promise<void> {
  let seconds = reportSeconds;
  for (;;) {
    await sleep(seconds * 1000, undefined, { signal });
    const blockers = await withConnection("postgres", async (observer) =>
      blockersOf(observer, pid),
    );
    for (const session of blockers) logLine(`waiting for ${describeSession(session, new Date())}`);
    seconds = blockers.length > 0 ? repeatSeconds : reportSeconds;
  }
}

async function blockersOf(client: Client, pid: number): Promise<FoundSession[]> {
  const { rows } = await client.query<FoundSession>(
    `SELECT ${sessionColumns} FROM pg_catalog.pg_stat_activity a
     WHERE a.pid = ANY (pg_catalog.pg_blocking_pids($1))`,
    [pid],
  );
  return rows;
}
