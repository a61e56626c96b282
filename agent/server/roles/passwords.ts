import type { Client } from "pg";
import { scramVerifier } from "../../postgres/scram";

/**
 * Sets the password of a role, within a transaction. Only the verifier is sent, and it does not appear in the server
 * log, pg_stat_activity or pg_stat_statements.
 */
export async function setPassword(client: Client, role: string, password: string): Promise<void> {
  await client.query(
    `SET LOCAL log_statement = 'none'; SET LOCAL log_min_duration_statement = -1; SET LOCAL log_duration = off;
     SET LOCAL log_min_error_statement = 'panic'; SET LOCAL pg_stat_statements.track_utility = off`,
  );
  await client.query(
    "SELECT set_config('stagecraft.role', $1, true), set_config('stagecraft.verifier', $2, true)",
    [role, scramVerifier(password)],
  );
  await client.query(
    `DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', current_setting('stagecraft.role'), current_setting('stagecraft.verifier')); END $$`,
  );
}
