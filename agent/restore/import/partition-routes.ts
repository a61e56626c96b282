import type { Client } from "pg";
import { tableKey, type PartitionRoots } from "../../../model/base/table-key";
import { quoteIdentifier as q } from "../../../model/base/sql";
import type { StatementFacts } from "../../../model/dump/statement";

/**
 * Tables that are partitioned by the hash of an enum. The hash of an enum's value is that of its OID, which is another one in
 * each database, so a row belongs into another partition than it did in the dumped database. pg_dump loads such tables by
 * their root since 15.3, 14.8, 13.11, 12.15 and 11.20.
 */
const hashedEnums = `
  SELECT p.partrelid AS oid FROM pg_partitioned_table p
  WHERE p.partstrat = 'h' AND (
    EXISTS (SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
            WHERE o.oid = ANY (p.partclass) AND o.opcname = 'enum_ops' AND m.amname = 'hash')
    OR EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_type e ON e.oid = t.typelem
               WHERE a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs) AND e.typtype = 'e'))`;

/** The table that rows are written to instead of one of its partitions. */
interface Root {
  readonly schema: string;
  readonly name: string;
  /** Whether both have the same columns in the same order. */
  readonly sameColumns: boolean;
}

const rootSql = `
  WITH hashed AS (${hashedEnums})
  SELECT n.nspname AS schema, c.relname AS name,
         ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum)
       = ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS "sameColumns"
  FROM pg_partition_ancestors(to_regclass($1)) WITH ORDINALITY AS a (oid, step)
  JOIN hashed h ON h.oid = a.oid JOIN pg_class c ON c.oid = a.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE a.oid <> to_regclass($1) ORDER BY a.step DESC LIMIT 1`;

/** `COPY name` or `INSERT INTO name`, and whether columns follow. */
const target =
  /^(\s*(?:COPY|INSERT\s+INTO)\s+)((?:"(?:[^"]|"")+"|[^\s."(]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[^\s."(]+))?)(\s*\()?/i;

/** Rewrites the statements of a dump that write rows into a partition to which they may not belong here. */
export class PartitionRoutes {
  readonly #roots = new Map<string, Root | undefined>();

  constructor(private readonly client: Client) {}

  /** The statement as it has to be sent, and what it then writes to. */
  async route(
    facts: StatementFacts,
    sql: Buffer,
  ): Promise<{ readonly facts: StatementFacts; readonly sql: Buffer }> {
    const same = { facts, sql };
    if (facts.action !== "copy" && facts.action !== "insert") return same;
    const text = sql.subarray(0, 1024).toString("latin1");
    const [whole, verb = "", name = "", columns] = target.exec(text) ?? [];
    if (whole === undefined) return same;
    const root = await this.#rootOf(name);
    if (!root || (columns === undefined && !root.sameColumns)) return same;
    const replacement = `${verb}${q(root.schema)}.${q(root.name)}`;
    // The statement is in the dump's encoding.
    if (!/^[\x00-\x7f]*$/.test(replacement)) return same;
    const key = tableKey(root);
    const rest = sql.subarray(verb.length + name.length);
    return {
      facts: { ...facts, name: key, table: key, object: `TABLE ${q(root.schema)}.${q(root.name)}` },
      sql: Buffer.concat([Buffer.from(replacement), rest]),
    };
  }

  async #rootOf(name: string): Promise<Root | undefined> {
    if (this.#roots.has(name)) return this.#roots.get(name);
    try {
      const { rows } = await this.client.query<Root>(rootSql, [name]);
      this.#roots.set(name, rows[0]);
      return rows[0];
    } catch {
      // A name that PostgreSQL cannot read, or a transaction that has failed: the statement itself will say so.
      return undefined;
    }
  }
}

/**
 * The partitions between which rows may move, by {@link tableKey}, and the tables whose partitions they are.
 *
 * @param filled Tables into which rows were written, by {@link tableKey}: those that are partitioned were loaded by their root
 */
export async function findMovingPartitions(
  client: Client,
  filled: readonly string[] = [],
): Promise<PartitionRoots> {
  const { rows } = await client.query<{ partition: string; schema: string; name: string }>(
    `
    WITH hashed AS (
      ${hashedEnums}
      UNION SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'p' AND n.nspname || '.' || c.relname = ANY ($1)
    ), tops AS (
      SELECT oid FROM hashed h
      WHERE NOT EXISTS (SELECT FROM pg_partition_ancestors(h.oid) a JOIN hashed o ON o.oid = a.relid WHERE a.relid <> h.oid)
    )
    SELECT pn.nspname || '.' || p.relname AS partition, rn.nspname AS schema, r.relname AS name
    FROM tops CROSS JOIN LATERAL pg_partition_tree(tops.oid) AS t
    JOIN pg_class p ON p.oid = t.relid JOIN pg_namespace pn ON pn.oid = p.relnamespace
    JOIN pg_class r ON r.oid = tops.oid JOIN pg_namespace rn ON rn.oid = r.relnamespace
    WHERE t.relid <> tops.oid`,
    [filled],
  );
  return new Map(rows.map(({ partition, schema, name }) => [partition, { schema, name }]));
}
