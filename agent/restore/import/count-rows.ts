import type { Client } from "pg";
import type { ImportedTable } from "../../../model/import-log/import-log";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { connect } from "../../postgres/connect";

/** Concurrent connections. */
const connections = 2;

/** Counts the rows of tables, by `schema.name`; a missing table has `null`. */
export async function countRows(
  database: string,
  tables: readonly string[],
): Promise<ReadonlyMap<string, ImportedTable>> {
  const found = new Map<string, ImportedTable>(tables.map((table) => [table, { rows: null }]));
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => connect(database)),
  );
  try {
    const present = await presentTables(clients[0] as Client, tables);
    const queue = present.values();
    await Promise.all(
      clients.map(async (client) => {
        for (const { key, schema, name, isPartitioned, ofExtension } of queue) {
          const only = isPartitioned ? "" : "ONLY";
          const { rows } = await client.query<{ count: string }>(
            `SELECT count(*) FROM ${only} ${q(schema)}.${q(name)}`,
          );
          found.set(key, { rows: Number(rows[0]?.count), ofExtension });
        }
      }),
    );
  } finally {
    await Promise.all(clients.map(async (client) => client.end()));
  }
  return found;
}

interface PresentTable {
  readonly key: string;
  readonly schema: string;
  readonly name: string;
  readonly isPartitioned: boolean;
  readonly ofExtension: boolean;
}

async function presentTables(
  client: Client,
  tables: readonly string[],
): Promise<readonly PresentTable[]> {
  // Compared as one text, because names may contain dots.
  const { rows } = await client.query<PresentTable>(
    `SELECT n.nspname || '.' || c.relname AS key, n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS "isPartitioned",
            EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS "ofExtension"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'm') AND n.nspname || '.' || c.relname = ANY($1)`,
    [tables],
  );
  return rows;
}
