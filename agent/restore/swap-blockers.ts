import type { Client } from "pg";
import { quoteIdentifier as q } from "../../model/base/sql";

/** What prevents the live database from being renamed or dropped, one sentence each with the fix. */
export async function swapBlockers(client: Client, database: string): Promise<string[]> {
  const { rows: prepared } = await client.query<{ gid: string }>(
    "SELECT gid FROM pg_prepared_xacts WHERE database = $1 ORDER BY prepared",
    [database],
  );
  const { rows: slots } = await client.query<{ name: string }>(
    "SELECT slot_name AS name FROM pg_replication_slots WHERE database = $1 ORDER BY 1",
    [database],
  );
  const { rows: subscriptions } = await client.query<{ name: string }>(
    `SELECT s.subname AS name FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
     WHERE d.datname = $1 AND (s.subenabled OR s.subslotname IS NOT NULL) ORDER BY 1`,
    [database],
  );
  return [
    ...prepared.map(
      ({ gid }) =>
        `prepared transaction '${gid}' blocks the swap of ${database}; end it in that database with COMMIT PREPARED or ROLLBACK PREPARED '${gid}'`,
    ),
    ...slots.map(
      ({ name }) =>
        `replication slot ${name} blocks the swap of ${database}; drop it with: SELECT pg_drop_replication_slot('${name}')`,
    ),
    ...subscriptions.map(
      ({ name }) =>
        `subscription ${name} blocks the swap of ${database}; detach it in that database with: ALTER SUBSCRIPTION ${q(name)} DISABLE; ALTER SUBSCRIPTION ${q(name)} SET (slot_name = NONE); do not drop it before that: its slot at the publisher would be dropped too, and may be that of another server`,
    ),
  ];
}
