import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { tryLock } from "../postgres/databases";
import { say } from "../system/progress";

/**
 * Waits until nobody else restores this database or receives a dump for it. The right is the connection's, and ends
 * with it.
 */
export async function takeTurn(client: Client, database: string): Promise<void> {
  if (await tryLock(client, database)) return;
  say(`another restore of ${database} is running; waiting for it`);
  do await sleep(500);
  while (!(await tryLock(client, database)));
}
