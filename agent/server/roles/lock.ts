import type { Client } from "pg";
import { advisoryLocks } from "../../postgres/advisory-locks";

/** Runs a change of roles in a transaction, one change at a time. The connection must be to `postgres`. */
export async function withRolesLock<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock($1, $2)", [...advisoryLocks.roles]);
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}
