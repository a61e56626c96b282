import type { Client } from "pg";
import { advisoryLocks } from "../../postgres/advisory-locks";
import { withLock } from "../../postgres/locks";
import { reportingBlockers } from "../../postgres/sessions";

/**
 * Runs a change of roles in a transaction, one change at a time. The connection must be to the agent's own database. A
 * role may change its own password and parameters, and so block the agent's change of it; the log then says who does.
 *
 * @param committed Runs after the transaction, still before the next change.
 */
export async function withRolesLock<T>(
  client: Client,
  work: () => Promise<T>,
  committed: (result: T) => Promise<void> = async () => Promise.resolve(),
): Promise<T> {
  const wait = { holder: "another change of roles" };
  return withLock(client, advisoryLocks.roles, wait, async () => {
    const result = await reportingBlockers(client, async () => inTransaction(client, work));
    await committed(result);
    return result;
  });
}

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}
