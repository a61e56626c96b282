import type { Client } from "pg";
import type { ForeignKeyFacts, MaskCatalogue, TableFacts } from "../../../model/masks/catalogue";
import { quoteLiteral } from "../../../model/base/sql";
import { ledgerSchema, ledgerTable } from "../../../model/upgrades/ledger";

/**
 * Reads the catalogue that planning masks needs, from the database of a connection.
 *
 * @param sizes Whether to read table sizes, which waits for sessions that have locked a table; otherwise they are 0.
 */
export async function readMaskCatalogue(
  client: Client,
  { sizes = true }: { readonly sizes?: boolean } = {},
): Promise<MaskCatalogue> {
  // With an empty search_path all types are schema-qualified.
  await client.query("SET search_path = ''");
  const { rows: tables } = await client.query<TableFacts>(tablesSql(sizes));
  const { rows: foreignKeys } = await client.query<ForeignKeyFacts>(foreignKeysSql);
  const { rows: facts } = await client.query<{ encoding: string; largeObjects: number }>(`
    SELECT pg_encoding_to_char(encoding) AS encoding,
           (SELECT count(*)::int FROM pg_largeobject_metadata) AS "largeObjects"
    FROM pg_database WHERE datname = current_database()`);
  const { encoding = "UTF8", largeObjects = 0 } = facts[0] ?? {};
  return { encoding, tables, foreignKeys, largeObjects };
}

/** SQL expression for the names of columns by their numbers. */
const names = (relation: string, numbers: string): string => `
  ARRAY(SELECT named.attname::text FROM unnest(${numbers}) WITH ORDINALITY AS numbers(number, at)
        JOIN pg_attribute named ON named.attrelid = ${relation} AND named.attnum = number ORDER BY at)`;

const tablesSql = (sizes: boolean): string => `
  WITH RECURSIVE bases AS MATERIALIZED (
    SELECT t.oid AS of, t.oid, t.typtype, t.typbasetype, -1 AS modifier, false AS not_null FROM pg_type t
    UNION ALL
    SELECT b.of, t.oid, t.typtype, t.typbasetype,
           CASE WHEN b.modifier = -1 THEN d.typtypmod ELSE b.modifier END, b.not_null OR d.typnotnull
    FROM bases b JOIN pg_type d ON d.oid = b.oid JOIN pg_type t ON t.oid = d.typbasetype
    WHERE b.typtype = 'd'
  ), base AS MATERIALIZED (
    SELECT b.of, t.oid, t.typname, b.modifier, b.not_null, t.typtype,
           CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem END AS element
    FROM bases b JOIN pg_type t ON t.oid = b.oid WHERE b.typtype <> 'd'
  ), members AS MATERIALIZED (
    SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e'
  ), tables AS MATERIALIZED (
    SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND c.oid NOT IN (SELECT objid FROM members)
      -- The ledger of upgrade scripts belongs to Stagecraft.
      AND (n.nspname, c.relname) <> (${quoteLiteral(ledgerSchema)}, ${quoteLiteral(ledgerTable)})
  ), columns AS MATERIALIZED (
    -- For all tables at once: a subquery per table would scan the types once per table.
    SELECT a.attrelid, jsonb_agg(jsonb_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'base', coalesce(e.typname, b.typname),
        'modifier', CASE WHEN a.atttypmod <> -1 THEN a.atttypmod WHEN b.modifier <> -1 THEN b.modifier
                         ELSE coalesce(e.modifier, -1) END,
        'isArray', b.element IS NOT NULL,
        'labels', CASE WHEN coalesce(e.typtype, b.typtype) = 'e' THEN
          (SELECT jsonb_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = coalesce(e.oid, b.oid)) END,
        'notNull', a.attnotnull OR b.not_null OR t.typnotnull, 'isGenerated', a.attgenerated <> '') ORDER BY a.attnum) AS columns
    FROM tables c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid JOIN base b ON b.of = a.atttypid LEFT JOIN base e ON e.of = b.element
    GROUP BY a.attrelid
  )
  SELECT c.oid::int8::float8 AS id, c.nspname AS schema, c.relname AS table,
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' WHEN 'v' THEN 'view'
         ELSE 'materialized view' END AS kind,
    ARRAY(SELECT i.inhparent::int8::float8 FROM pg_inherits i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno) AS parents,
    c.reltuples::float8 AS rows,
    ${sizes ? "CASE WHEN c.relkind = 'r' THEN pg_total_relation_size(c.oid) ELSE 0 END" : "0"}::float8 AS bytes,
    coalesce(k.columns, '[]') AS columns,
    coalesce((SELECT ${names("c.oid", "i.indkey::int2[]")} FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary), '{}') AS "primaryKey",
    coalesce((
      SELECT jsonb_agg(jsonb_build_object('name', x.relname,
        'isPlain', i.indexprs IS NULL AND i.indpred IS NULL AND NOT i.indisexclusion,
        'columns', (
          SELECT coalesce(jsonb_agg(DISTINCT a.attname), '[]') FROM pg_attribute a
          WHERE a.attrelid = c.oid AND (
            a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
            OR i.indexprs IS NOT NULL AND EXISTS (
              SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum)))) ORDER BY x.relname)
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
      WHERE i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion)), '[]') AS uniques,
    coalesce((
      SELECT CASE WHEN p.partexprs IS NULL THEN ${names("c.oid", "p.partattrs::int2[]")}
             ELSE ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) END
      FROM pg_partitioned_table p WHERE p.partrelid = c.oid), '{}') AS "partitionKey"
  FROM tables c LEFT JOIN columns k ON k.attrelid = c.oid ORDER BY c.nspname, c.relname`;

const foreignKeysSql = `
  SELECT k.conname AS name, k.conrelid::int8::float8 AS table, ${names("k.conrelid", "k.conkey")} AS columns,
         k.confrelid::int8::float8 AS referenced, ${names("k.confrelid", "k.confkey")} AS "referencedColumns",
         pg_get_constraintdef(k.oid) AS definition, obj_description(k.oid, 'pg_constraint') AS comment
  FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0
  ORDER BY k.conrelid::regclass::text, k.conname`;
