import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError, type Client } from "pg";
import { AgentError } from "../../system/errors";
import { connect } from "../../postgres/connect";

const timeoutSeconds = 10;
const intervalMs = 5;

/**
 * Makes PostgreSQL read its files again and waits until every new session meets the rules of now.
 * Throws an {@link AgentError} when it does not, or takes over 10 s.
 */
export async function reloadRules(client: Client): Promise<void> {
  const { rows } = await client.query<{ asked: string }>(
    "SELECT clock_timestamp()::text AS asked, pg_reload_conf()",
  );
  const asked = rows[0]?.asked ?? "";
  const deadline = Date.now() + timeoutSeconds * 1000;
  while (!(await isReloaded(asked))) {
    if (Date.now() > deadline)
      throw new AgentError(
        `PostgreSQL did not read pg_hba.conf within ${timeoutSeconds} s; look at: docker logs of its container`,
      );
    await sleep(intervalMs);
  }
}

/**
 * Asks a new session. It inherits the load time from the postmaster, which does one thing after another: it sets the
 * load time, reads pg_hba.conf, and only then begins the next session. So a load time that is newer than the request
 * proves that the rules have been read since, if it is older than the session; a newer one would be the session's own,
 * of a signal that may reach it while the postmaster is still reading.
 */
async function isReloaded(asked: string): Promise<boolean> {
  let client: Client;
  try {
    client = await connect("postgres");
  } catch (error) {
    // The agent came in before and is refused now, so other rules are in force.
    if (isAuthenticationFailure(error)) return true;
    throw error;
  }
  try {
    const { rows } = await client.query<{ reloaded: boolean; refused: string | null }>(
      `SELECT pg_conf_load_time() > $1::timestamptz AND pg_conf_load_time() < backend_start AS reloaded,
              (SELECT format('line %s: %s', line_number, error) FROM pg_hba_file_rules
               WHERE error NOT LIKE '%record cannot match because%' LIMIT 1) AS refused
       FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
      [asked],
    );
    const [facts] = rows;
    if (facts?.reloaded !== true) return false;
    if (facts.refused === null) return true;
    throw new AgentError(`PostgreSQL refuses pg_hba.conf: ${facts.refused}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether the rules keep the agent out (SQLSTATE class 28). */
export function isAuthenticationFailure(error: unknown): boolean {
  const cause = error instanceof AgentError ? error.cause : undefined;
  return cause instanceof DatabaseError && cause.code?.startsWith("28") === true;
}
