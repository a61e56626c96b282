import type { Client } from "pg";

/** What of a live database keeps it from being renamed or dropped, a sentence each with the fix. */
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
     WHERE d.datname = $1 ORDER BY 1`,
    [database],
  );
  return [
    ...prepared.map(
      ({ gid }) =>
        `a prepared transaction holds ${database}: ${gid}; end it there with COMMIT PREPARED or ROLLBACK PREPARED '${gid}'`,
    ),
    ...slots.map(
      ({ name }) =>
        `the replication slot ${name} holds ${database}; drop it with: SELECT pg_drop_replication_slot('${name}')`,
    ),
    ...subscriptions.map(
      ({ name }) =>
        `the subscription ${name} writes into ${database}; drop it there with DROP SUBSCRIPTION`,
    ),
  ];
}
