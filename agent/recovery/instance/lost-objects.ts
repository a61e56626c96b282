import type { Client } from "pg";

/** A table, view, materialized view or sequence. */
export interface LostRelation {
  readonly schema: string;
  readonly name: string;
  /** The role that owned it. */
  readonly owner: string;
  readonly bytes: number;
  /** Whether it is a view that uses a function which was dropped with the table, and so cannot be created before that. */
  readonly isBlocked: boolean;
}

/** A foreign key of another table that refers to a lost one. */
export interface InboundKey {
  /** Schema and name of the table that has it, and the role that owns that. */
  readonly schema: string;
  readonly table: string;
  readonly owner: string;
  readonly name: string;
  /** As `ALTER TABLE … ADD CONSTRAINT` takes it, with qualified names. */
  readonly definition: string;
}

/** An object as `pg_identify_object_as_address` gives it, and in words. */
export interface DependentObject {
  readonly type: string;
  readonly names: readonly string[];
  readonly args: readonly string[];
  readonly text: string;
}

/** What DROP TABLE … CASCADE takes with a table, in the server that still has it. */
export interface DependentObjects {
  /** The table first, then its partitions and the views on them. */
  readonly relations: readonly LostRelation[];
  readonly keys: readonly InboundKey[];
  /** Everything that depended on them: also functions, policies and defaults of others. */
  readonly all: readonly DependentObject[];
}

/** A table with its partitions, and the views on any of them ($1 schema, $2 table): oid and order. */
const relationsSql = `
  WITH RECURSIVE edges(parent, child) AS (
    SELECT i.inhparent, i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
    UNION
    SELECT d.refobjid, r.ev_class FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE d.refclassid = 'pg_class'::regclass AND r.ev_class <> d.refobjid
  ), lost(oid, depth) AS (
    SELECT c.oid, 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
    UNION
    SELECT e.child, l.depth + 1 FROM edges e JOIN lost l ON e.parent = l.oid WHERE l.depth < 100
  )`;

/** What can depend on those relations: they, their row types, and what belongs to them, such as sequences. */
const rowsSql = `
  rows AS (
    SELECT 'pg_class'::regclass::oid AS classid, l.oid AS objid FROM lost l
    UNION SELECT 'pg_type'::regclass::oid, t.oid FROM pg_type t WHERE t.typrelid IN (SELECT oid FROM lost)
    UNION SELECT 'pg_type'::regclass::oid, t.typarray FROM pg_type t WHERE t.typrelid IN (SELECT oid FROM lost)
    UNION SELECT 'pg_class'::regclass::oid, d.objid FROM pg_depend d
          WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid IN (SELECT oid FROM lost)
  )`;

/** Reads what depends on a table; `undefined` when there is no such table. */
export async function readDependents(
  client: Client,
  schema: string,
  table: string,
): Promise<DependentObjects | undefined> {
  const { rows: relations } = await client.query<{ bytes: string } & Omit<LostRelation, "bytes">>(
    `${relationsSql}, ${rowsSql}, blocked AS (
       SELECT w.ev_class AS oid FROM pg_rewrite w
       JOIN pg_depend u ON u.classid = 'pg_rewrite'::regclass AND u.objid = w.oid AND u.refclassid = 'pg_proc'::regclass
       JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = u.refobjid AND d.deptype = 'n'
       JOIN rows r ON r.classid = d.refclassid AND r.objid = d.refobjid
       UNION SELECT e.child FROM edges e JOIN blocked b ON e.parent = b.oid
     )
     SELECT n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner, pg_total_relation_size(c.oid) AS bytes,
            c.oid IN (SELECT oid FROM blocked) AS "isBlocked"
     FROM (SELECT oid, max(depth) AS depth FROM lost GROUP BY oid) l JOIN pg_class c ON c.oid = l.oid
     JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY l.depth, n.nspname, c.relname`,
    [schema, table],
  );
  if (relations.length === 0) return undefined;
  const { rows: keys } = await client.query<InboundKey>(
    `${relationsSql}
     SELECT n.nspname AS schema, c.relname AS table, pg_get_userbyid(c.relowner) AS owner, k.conname AS name,
            pg_get_constraintdef(k.oid) AS definition
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid IN (SELECT oid FROM lost)
       AND k.conrelid NOT IN (SELECT oid FROM lost) ORDER BY 1, 2, 4`,
    [schema, table],
  );
  const { rows: all } = await client.query<DependentObject>(
    `${relationsSql}, ${rowsSql}
     SELECT DISTINCT o.type, o.object_names AS names, o.object_args AS args,
            pg_describe_object(d.classid, d.objid, d.objsubid) AS text
     FROM rows r JOIN pg_depend d ON d.refclassid = r.classid AND d.refobjid = r.objid,
          LATERAL pg_identify_object_as_address(d.classid, d.objid, d.objsubid) o
     WHERE d.deptype IN ('n', 'a', 'i') AND d.classid NOT IN ('pg_rewrite'::regclass, 'pg_type'::regclass, 'pg_depend'::regclass)
       AND o.type NOT LIKE 'toast%' AND NOT 'pg_toast' = ANY (o.object_names)
       -- PostgreSQL names these itself, as often as it needs to.
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE d.classid = 'pg_constraint'::regclass AND k.oid = d.objid AND k.conparentid <> 0)
       AND NOT EXISTS (SELECT FROM pg_trigger t WHERE d.classid = 'pg_trigger'::regclass AND t.oid = d.objid AND (t.tgisinternal OR t.tgparentid <> 0))
     ORDER BY text`,
    [schema, table],
  );
  return {
    relations: relations.map(({ bytes, ...one }) => ({ ...one, bytes: Number(bytes) })),
    keys,
    all,
  };
}

/** The objects that a server lacks, in words. */
export async function findMissing(
  client: Client,
  objects: readonly DependentObject[],
): Promise<string[]> {
  const missing: string[] = [];
  for (const { type, names, args, text } of objects) {
    try {
      await client.query("SELECT pg_get_object_address($1, $2::text[], $3::text[])", [
        type,
        names,
        args,
      ]);
    } catch {
      missing.push(text);
    }
  }
  return missing;
}

/** The relations that a server lacks. */
export async function missingRelations(
  client: Client,
  relations: readonly LostRelation[],
): Promise<LostRelation[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND c.relname = ANY ($2)`,
    [relations.map(({ schema }) => schema), relations.map(({ name }) => name)],
  );
  return relations.filter(
    (one) => !rows.some(({ schema, name }) => schema === one.schema && name === one.name),
  );
}
