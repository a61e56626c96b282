import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError, type Client } from "pg";
import { AgentError } from "../../system/errors";
import { connect } from "../../postgres/connect";
import { serverLogCommand } from "../../postgres/container";
import { areRulesActive } from "./active-rules";
import { firstLineError } from "./rule-errors";

const timeoutSeconds = 10;
const intervalMs = 5;

/**
 * Makes PostgreSQL reload its files and waits until the rules apply to every new session.
 * Throws an {@link AgentError} when PostgreSQL rejects the rules, and so keeps the previous ones, or takes over 10 s.
 *
 * @param text The rules in the file, whose marker is tried
 */
export async function reloadRules(client: Client, text: string): Promise<void> {
  const { rows } = await client.query<{ at: string }>(
    "SELECT clock_timestamp()::text AS at, pg_reload_conf()",
  );
  const requestedAt = rows[0]?.at ?? "";
  const deadline = Date.now() + timeoutSeconds * 1000;
  while (!(await isReloaded(requestedAt))) {
    if (Date.now() > deadline)
      throw new AgentError(
        `PostgreSQL did not reload pg_hba.conf within ${timeoutSeconds} s; check: ${serverLogCommand}`,
      );
    await sleep(intervalMs);
  }
  if ((await areRulesActive(text)) === false)
    throw new AgentError(
      `PostgreSQL rejects pg_hba.conf, keeps the previous rules and would not start with these; check: ${serverLogCommand}`,
    );
}

/**
 * Checks in a new session whether the rules are loaded. The session inherits the load time from the postmaster, which
 * sets the load time, reads pg_hba.conf, and only then starts the next session. A load time after the request and before
 * the start of the session therefore proves that the rules were read since. A load time after the start of the session
 * would be its own: the signal can reach a session while the postmaster is still reading.
 */
async function isReloaded(requestedAt: string): Promise<boolean> {
  let client: Client;
  try {
    client = await connect("postgres");
  } catch (error) {
    // The agent could connect before and cannot now, so the new rules are active.
    if (isAuthenticationFailure(error)) return true;
    throw error;
  }
  try {
    const { rows } = await client.query<{ reloaded: boolean }>(
      `SELECT pg_conf_load_time() > $1::timestamptz AND pg_conf_load_time() < backend_start AS reloaded
       FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
      [requestedAt],
    );
    if (rows[0]?.reloaded !== true) return false;
    const problem = await firstLineError(client);
    if (problem === undefined) return true;
    throw new AgentError(`PostgreSQL rejects pg_hba.conf: line ${problem.line}: ${problem.error}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether a connection failed because the rules lock the agent out (SQLSTATE class 28). */
export function isAuthenticationFailure(error: unknown): boolean {
  const cause = error instanceof AgentError ? error.cause : undefined;
  return cause instanceof DatabaseError && cause.code?.startsWith("28") === true;
}
