import type { Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";

interface SequenceColumn {
  readonly column: string;
  /** Qualified and quoted. */
  readonly sequence: string;
  readonly schema: string;
  readonly name: string;
  readonly ascending: boolean;
}

/**
 * Advances the sequences of a table's columns past the values in the table. If the table was created from the live
 * database, also past the live sequences, so that numbers of deleted rows are not reused.
 *
 * @param live Connection to the live database, if the table was created from it.
 */
export async function advanceSequences(
  target: Client,
  table: string,
  live: Client | undefined,
): Promise<void> {
  const { rows } = await target.query<SequenceColumn>(sequenceColumnsSql, [table]);
  for (const { column, sequence, schema, name, ascending } of rows) {
    const furthest = ascending ? "max" : "min";
    const { rows: found } = await target.query<{ value: string | null }>(
      `SELECT ${furthest}(${q(column)})::text AS value FROM ${table}`,
    );
    const values = [found[0]?.value ?? null, live ? await lastValue(live, schema, name) : null];
    const beyond = ascending ? ">" : "<";
    for (const value of values) {
      if (value === null) continue;
      await target.query(
        `SELECT setval($1::regclass, $2::bigint) FROM ${sequence}
         WHERE $2::bigint ${beyond} last_value OR ($2::bigint = last_value AND NOT is_called)`,
        [sequence, value],
      );
    }
  }
}

async function lastValue(client: Client, schema: string, name: string): Promise<string | null> {
  const { rows } = await client.query<{ value: string | null }>(
    "SELECT last_value::text AS value FROM pg_sequences WHERE schemaname = $1 AND sequencename = $2",
    [schema, name],
  );
  return rows[0]?.value ?? null;
}

/** Integer columns with a sequence: identity and serial columns, and columns with a default that uses one. */
const sequenceColumnsSql = `
  SELECT DISTINCT a.attname AS column, format('%I.%I', n.nspname, s.relname) AS sequence,
         n.nspname AS schema, s.relname AS name, p.seqincrement > 0 AS ascending
  FROM pg_attribute a
  LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
  JOIN pg_depend d
    ON (d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i'))
    OR (d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass)
  JOIN pg_class s ON s.relkind = 'S'
    AND s.oid = CASE d.classid WHEN 'pg_class'::regclass THEN d.objid ELSE d.refobjid END
  JOIN pg_sequence p ON p.seqrelid = s.oid
  JOIN pg_namespace n ON n.oid = s.relnamespace
  WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
    AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)`;
