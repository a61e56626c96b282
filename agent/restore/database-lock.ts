import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { tryLockDatabase } from "../postgres/databases";
import { logLine } from "../system/progress";

/**
 * Waits until nobody else restores this database or receives a dump for it. The right is the connection's, and ends
 * with it.
 */
export async function waitForDatabaseLock(client: Client, database: string): Promise<void> {
  if (await tryLockDatabase(client, database)) return;
  logLine(`another restore of ${database} is running; waiting for it`);
  do await sleep(500);
  while (!(await tryLockDatabase(client, database)));
}
