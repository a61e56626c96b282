import type { Client } from "pg";
import { quoteLiteral } from "../../../model/base/sql";
import { connect, withConnection } from "../../postgres/connect";
import { AgentError } from "../../system/errors";
import type { SessionSettings } from "../../postgres/connect";
import type { LiveTable } from "./tables";

/**
 * Reads the live database as the superuser, in the snapshot of the owner's session: what the owner cannot read whole,
 * tables with policies that apply to it and large objects. Reads plain columns and objects only, which calls no code of the
 * data. The caller ends the session.
 */
export async function openLiveReader(
  live: string,
  source: Client,
  settings: SessionSettings,
  tables: readonly LiveTable[],
): Promise<Client> {
  const { rows } = await source.query<{ id: string }>(
    "SELECT pg_catalog.pg_export_snapshot() AS id",
  );
  const client = await connect(live, settings);
  try {
    await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(rows[0]?.id ?? "")}`);
    for (const table of tables) if (isReadWhole(table)) await lock(client, live, table);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** Whether a table is read by {@link openLiveReader}: its policies apply to the owner, and no condition of a user has to be evaluated. */
export function isReadWhole({ isFiltered, rule }: LiveTable): boolean {
  return isFiltered && rule.where === undefined;
}

/** Locks a table, so that its owner cannot put a view in its place, whose functions the superuser would call. */
async function lock(client: Client, live: string, { sql, rule }: LiveTable): Promise<void> {
  await client.query(`LOCK TABLE ONLY ${sql} IN ACCESS SHARE MODE`);
  // In another session, because this one sees the snapshot.
  const { rows } = await withConnection(live, async (other) =>
    other.query<{ kind: string }>(
      "SELECT relkind AS kind FROM pg_class WHERE oid = to_regclass($1)",
      [sql],
    ),
  );
  if (rows[0]?.kind === "r" || rows[0]?.kind === "p") return;
  throw new AgentError(
    `database.keep: ${rule.table} was replaced while it was read; run the refresh again`,
  );
}
