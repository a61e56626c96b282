import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import type { Client } from "pg";
import { preparedPassword } from "../../../model/roles/password";

/** Iterations of a verifier, PostgreSQL's default (`scram_iterations`). */
const iterations = 4096;

/** SCRAM verifier that PostgreSQL stores for a password (RFC 5803 in PostgreSQL's notation, RFC 7677). */
function scramVerifier(
  password: string,
  salt: Buffer = randomBytes(16),
  rounds = iterations,
): string {
  const salted = pbkdf2Sync(preparedPassword(password), salt, rounds, 32, "sha256");
  const key = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(key("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${rounds}:${salt.toString("base64")}$${stored}:${key("Server Key").toString("base64")}`;
}

/** Whether a verifier belongs to a password. */
export function isVerifierOf(verifier: string | null, password: string): boolean {
  const parts = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier ?? "");
  if (verifier === null || !parts) return false;
  const expected = scramVerifier(password, Buffer.from(parts[2] ?? "", "base64"), Number(parts[1]));
  return (
    expected.length === verifier.length &&
    timingSafeEqual(Buffer.from(expected), Buffer.from(verifier))
  );
}

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
