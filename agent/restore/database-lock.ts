import type { Client } from "pg";
import { databaseLock } from "../postgres/advisory-locks";
import { waitForLock } from "../postgres/locks";

/**
 * Acquires the lock on restoring this database or receiving a dump for it; waits while another session holds it.
 * PostgreSQL releases the lock when the connection ends.
 */
export async function waitForDatabaseLock(client: Client, database: string): Promise<void> {
  await waitForLock(client, databaseLock(database), { holder: `another restore of ${database}` });
}
