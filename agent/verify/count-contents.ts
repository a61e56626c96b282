import type { RestoredCounts, RestoredTable } from "../../model/backup/manifest-comparison";
import { quoteIdentifier as q } from "../../model/base/sql";
import { connect } from "../postgres/connect";

/** Concurrent connections. */
const connections = 2;

/** Counts rows and large objects of a restored database. Row counts in `known`, by `schema.table`, are not counted again. */
export async function countContents(
  database: string,
  known: ReadonlyMap<string, number | null>,
): Promise<RestoredCounts> {
  const first = await connect(database);
  const more = Array.from({ length: connections - 1 }, async () => connect(database));
  const clients = [first, ...(await Promise.all(more))];
  try {
    const { rows: found } = await first.query<Omit<RestoredTable, "rows">>(tablesSql);
    const { rows: objects } = await first.query<{ count: string }>(
      "SELECT count(*) FROM pg_largeobject_metadata",
    );
    // Names with dots may produce the same key.
    const keys = found.map(({ schema, name }) => `${schema}.${name}`);
    const counts = found.map((_, index) => {
      const key = keys[index] ?? "";
      return keys.indexOf(key) === keys.lastIndexOf(key) ? (known.get(key) ?? null) : null;
    });
    const queue = found.entries();
    await Promise.all(
      clients.map(async (client) => {
        for (const [index, { schema, name }] of queue) {
          if (typeof counts[index] === "number") continue;
          const { rows } = await client.query<{ count: string }>(
            `SELECT count(*) FROM ONLY ${q(schema)}.${q(name)}`,
          );
          counts[index] = Number(rows[0]?.count);
        }
      }),
    );
    return {
      tables: found.map((table, index) => ({ ...table, rows: counts[index] ?? 0 })),
      largeObjects: Number(objects[0]?.count),
    };
  } finally {
    await Promise.all(clients.map(async (client) => client.end()));
  }
}

/** Tables with rows of their own: ordinary tables and leaf partitions. */
const tablesSql = `
  SELECT n.nspname AS schema, c.relname AS name,
         EXISTS (SELECT FROM pg_depend d
                 WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS "ofExtension"
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  ORDER BY n.nspname, c.relname`;
