import type { Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";

/** A violated foreign key. */
export interface BrokenForeignKey {
  readonly name: string;
  readonly table: string;
  readonly referenced: string;
}

/** Finds a violated foreign key from or to the given tables: with session_replication_role = replica PostgreSQL checks none. */
export async function findBrokenForeignKey(
  client: Client,
  tables: readonly number[],
): Promise<BrokenForeignKey | undefined> {
  const { rows } = await client.query<
    BrokenForeignKey & { columns: string[]; referencedColumns: string[]; full: boolean }
  >(foreignKeysSql, [tables]);
  for (const { name, table, referenced, columns, referencedColumns, full } of rows) {
    const isSet = columns.map((column) => `a.${q(column)} IS NOT NULL`);
    const same = columns.map((column, i) => `a.${q(column)} = b.${q(referencedColumns[i] ?? "")}`);
    const { rowCount } = await client.query(
      `SELECT FROM ${table} AS a WHERE (${isSet.join(full ? " OR " : " AND ")})
         AND NOT EXISTS (SELECT FROM ${referenced} AS b WHERE ${same.join(" AND ")}) LIMIT 1`,
    );
    if (rowCount !== 0) return { name, table, referenced };
  }
  return undefined;
}

const names = (relation: string, numbers: string): string =>
  `ARRAY(SELECT attname::text FROM unnest(${numbers}) WITH ORDINALITY AS k(number, at)
         JOIN pg_attribute ON attrelid = ${relation} AND attnum = number ORDER BY at)`;

const foreignKeysSql = `
  SELECT conname AS name, conrelid::regclass::text AS table, confrelid::regclass::text AS referenced,
         ${names("conrelid", "conkey")} AS columns, ${names("confrelid", "confkey")} AS "referencedColumns",
         confmatchtype = 'f' AS full
  FROM pg_constraint
  WHERE contype = 'f' AND convalidated AND (conrelid = ANY ($1::oid[]) OR confrelid = ANY ($1::oid[]))
  ORDER BY conrelid, conname`;
