import type { Client } from "pg";
import { quoteIdentifier as q } from "../../model/base/sql";
import { AgentError } from "../system/errors";

/**
 * Throws an {@link AgentError} for an event trigger that fires even with `session_replication_role = replica` and whose
 * function belongs to a role that is no superuser: a statement of the agent would run that role's code as a superuser.
 * For PostgreSQL 15 and 16, which have no parameter `event_triggers`.
 */
export async function rejectEventTriggers(client: Client, database: string): Promise<void> {
  const { rows } = await client.query<{ name: string; function: string; owner: string }>(
    `SELECT e.evtname AS name, format('%I.%I()', n.nspname, p.proname) AS function, o.rolname AS owner
     FROM pg_catalog.pg_event_trigger e
     JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     JOIN pg_catalog.pg_roles o ON o.oid = p.proowner
     WHERE e.evtenabled IN ('A', 'R') AND NOT o.rolsuper ORDER BY 1 LIMIT 1`,
  );
  const [trigger] = rows;
  if (!trigger) return;
  const { name, function: code, owner } = trigger;
  throw new AgentError(
    `database ${database} has the event trigger ${name}, which fires in all sessions, and whose function ${code} belongs to ${owner}, who is no superuser: it would run with the agent's rights; run ALTER EVENT TRIGGER ${q(name)} ENABLE, so that it fires for others only, or ALTER FUNCTION ${code} OWNER TO a superuser`,
  );
}
