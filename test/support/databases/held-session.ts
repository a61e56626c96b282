import type { CommandResult, TestServer } from "../servers/server";
import { until } from "../time/until";

/** A session that keeps what its transaction holds. */
export interface HeldSession {
  /** What psql said at its end. */
  readonly ended: Promise<CommandResult>;
  /** Ends it; what psql said. */
  release(): Promise<CommandResult>;
}

/** By which name the session is found in `pg_stat_activity`. */
const name = "holder";

/** Ends the session. */
export const endHolderSql = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '${name}'`;

/** Opens a transaction, runs SQL in it, e.g. `LOCK TABLE t`, and keeps it open; it is when this returns. */
export async function holdSession(
  server: TestServer,
  database: string,
  sql: string,
): Promise<HeldSession> {
  let said: CommandResult | undefined;
  const ended = server
    .trySql(database, `BEGIN; ${sql}; SELECT pg_sleep(7200)`, [`PGAPPNAME=${name}`])
    .then((result) => (said = result));
  const isHolding = `SELECT count(*) FROM pg_stat_activity WHERE application_name = '${name}' AND wait_event = 'PgSleep'`;
  await until(`a session that holds ${sql}`, async () => {
    if (said) throw new Error(`the session has ended: ${said.stderr}`);
    return (await server.trySql("postgres", isHolding)).stdout.trim() !== "0";
  });
  return {
    ended,
    release: async () => {
      await server.trySql("postgres", endHolderSql);
      return ended;
    },
  };
}

/** Holds a session while something is done. */
export async function whileHeld<T>(
  server: TestServer,
  { database, sql }: { readonly database: string; readonly sql: string },
  work: () => Promise<T>,
): Promise<T> {
  const session = await holdSession(server, database, sql);
  try {
    return await work();
  } finally {
    await session.release();
  }
}
