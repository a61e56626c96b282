import type { Client } from "pg";
import { quoteIdentifier as q, quoteLiteral } from "../../model/base/sql";
import { logLine } from "../system/progress";
import { withConnection } from "./connect";

/** Where a subscription that is about to be dropped connects to: nowhere, without waiting for an address. */
const nowhere = "host=/dev/null dbname=nowhere";

interface Subscription {
  readonly name: string;
  /** Its replication slot at the publisher. */
  readonly slot: string | null;
  readonly enabled: boolean;
}

/**
 * Removes what keeps PostgreSQL from dropping a database, apart from sessions: subscriptions, prepared transactions, and the
 * mark of a template. Nothing is dropped at the publisher of a subscription: its slot may be production's. Does nothing for a
 * database that does not exist.
 */
export async function releaseDatabase(client: Client, database: string): Promise<void> {
  const { rows } = await client.query<{
    isTemplate: boolean;
    isOpen: boolean;
    subscriptions: Subscription[];
    prepared: string[];
  }>(
    `SELECT d.datistemplate AS "isTemplate", d.datallowconn AS "isOpen",
            coalesce((SELECT json_agg(json_build_object('name', s.subname, 'slot', s.subslotname, 'enabled', s.subenabled) ORDER BY s.subname)
                      FROM pg_subscription s WHERE s.subdbid = d.oid), '[]') AS subscriptions,
            coalesce((SELECT json_agg(p.gid ORDER BY p.prepared) FROM pg_prepared_xacts p WHERE p.database = d.datname), '[]') AS prepared
     FROM pg_database d WHERE d.datname = $1`,
    [database],
  );
  const [found] = rows;
  if (!found) return;
  const { isTemplate, isOpen, subscriptions, prepared } = found;
  if (isTemplate) await client.query(`ALTER DATABASE ${q(database)} IS_TEMPLATE false`);
  if (subscriptions.length === 0 && prepared.length === 0) return;
  // PostgreSQL removes both from within their database only.
  if (!isOpen) await client.query(`ALTER DATABASE ${q(database)} ALLOW_CONNECTIONS true`);
  await withConnection(database, async (session) => {
    for (const gid of prepared) await session.query(`ROLLBACK PREPARED ${quoteLiteral(gid)}`);
    for (const subscription of subscriptions) await drop(session, database, subscription);
  });
}

async function drop(
  session: Client,
  database: string,
  { name, slot, enabled }: Subscription,
): Promise<void> {
  if (enabled) await session.query(`ALTER SUBSCRIPTION ${q(name)} DISABLE`);
  if (slot !== null) await session.query(`ALTER SUBSCRIPTION ${q(name)} SET (slot_name = NONE)`);
  // Otherwise PostgreSQL would connect to the publisher to drop the slots of an initial copy that has not finished.
  await session.query(`ALTER SUBSCRIPTION ${q(name)} CONNECTION ${quoteLiteral(nowhere)}`);
  await session.query(`DROP SUBSCRIPTION ${q(name)}`);
  const stays = slot === null ? "" : `; slot ${slot} at its publisher was not touched`;
  logLine(`removed subscription ${name} of ${database}${stays}`);
}
