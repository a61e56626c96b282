import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { tryLockDatabase } from "../postgres/databases";
import { logLine } from "../system/progress";

/**
 * Acquires the lock on restoring this database or receiving a dump for it; waits while another session holds it.
 * PostgreSQL releases the lock when the connection ends.
 */
export async function waitForDatabaseLock(client: Client, database: string): Promise<void> {
  if (await tryLockDatabase(client, database)) return;
  logLine(`another restore of ${database} is running; waiting for it`);
  do await sleep(500);
  while (!(await tryLockDatabase(client, database)));
}
