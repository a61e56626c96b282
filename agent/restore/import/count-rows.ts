import type { Client } from "pg";
import type { ImportedTable } from "../../../model/import-log/import-log";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { connect } from "../../postgres/connect";

/** Concurrent connections. */
const connections = 2;

/**
 * Counts the rows of tables, by `schema.name`; a missing table has `null`, and two whose names give the same text are counted together. Partitions that are foreign tables are not
 * read: their rows are not in a dump, and their server may be out of reach.
 */
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
        for (const table of queue) {
          const { key, ofExtension, leaves } = table;
          let rows = 0;
          for (const one of leaves ?? [table]) rows += await countOnly(client, one);
          const others = found.get(key)?.rows ?? 0;
          found.set(key, {
            rows: others + rows,
            ofExtension,
            hasForeignRows: table.hasForeignRows,
          });
        }
      }),
    );
  } finally {
    await Promise.all(clients.map(async (client) => client.end()));
  }
  return found;
}

interface TableName {
  readonly schema: string;
  readonly name: string;
}

interface PresentTable extends TableName {
  readonly key: string;
  /** The partitions with rows of a partitioned table, without those on other servers; `null` for other tables. */
  readonly leaves: readonly TableName[] | null;
  readonly hasForeignRows: boolean;
  readonly ofExtension: boolean;
}

async function countOnly(client: Client, { schema, name }: TableName): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM ONLY ${q(schema)}.${q(name)}`,
  );
  return Number(rows[0]?.count);
}

async function presentTables(
  client: Client,
  tables: readonly string[],
): Promise<readonly PresentTable[]> {
  // Compared as one text, because names may contain dots.
  const { rows } = await client.query<PresentTable>(
    `SELECT n.nspname || '.' || c.relname AS key, n.nspname AS schema, c.relname AS name,
            CASE WHEN c.relkind = 'p' THEN coalesce(
              (SELECT json_agg(json_build_object('schema', ln.nspname, 'name', l.relname))
               FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid JOIN pg_namespace ln ON ln.oid = l.relnamespace
               WHERE l.relkind = 'r'), '[]') END AS leaves,
            EXISTS (SELECT FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid
                    WHERE c.relkind = 'p' AND l.relkind = 'f') AS "hasForeignRows",
            EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS "ofExtension"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'm') AND n.nspname || '.' || c.relname = ANY($1)`,
    [tables],
  );
  return rows;
}
