import type { Client } from "pg";
import type { PreserveRule } from "../../../model/preserve/protocol";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError, messageOf } from "../../system/errors";

/** A column of a preserved table. */
export interface Column {
  readonly name: string;
  /** Type without modifier, so that a cast does not truncate. */
  readonly type: string;
  /** Whether PostgreSQL computes the column from others. */
  readonly generated: boolean;
  /** Whether its values may be ids of large objects: of type `oid`, or of a domain of it like `lo`. */
  readonly isObjectId: boolean;
}

/** A table of the live database to be preserved. */
export interface LiveTable {
  readonly rule: PreserveRule;
  /** Qualified and quoted. */
  readonly sql: string;
  readonly schema: string;
  readonly name: string;
  readonly isPartitioned: boolean;
  /** Whether policies apply to the owner, e.g. by FORCE ROW LEVEL SECURITY. */
  readonly isFiltered: boolean;
  readonly columns: readonly Column[];
}

/** Finds the table of a rule in the live database; `undefined` when it has none. */
export async function findTable(
  client: Client,
  rule: PreserveRule,
): Promise<LiveTable | undefined> {
  const [found] = await lookUp(client, rule.table);
  if (!found) return undefined;
  const { oid, schema, name, kind } = found;
  if (kind !== "r" && kind !== "p") {
    throw new AgentError(
      `database.keep: ${rule.table} is a ${kinds[kind] ?? "relation of another kind"}; only tables can be preserved`,
    );
  }
  const { rows: rights } = await client.query<{ owner: string; may: boolean; filtered: boolean }>(
    "SELECT current_user AS owner, has_table_privilege($1::oid, 'SELECT') AS may, row_security_active($1::oid) AS filtered",
    [oid],
  );
  const [right] = rights;
  if (right?.may === false) {
    throw new AgentError(
      `database.keep: ${rule.table} cannot be read by the database owner; make it the owner with: ALTER TABLE ${q(schema)}.${q(name)} OWNER TO ${q(right.owner)}, or leave the table out`,
    );
  }
  return {
    rule,
    schema,
    name,
    sql: `${q(schema)}.${q(name)}`,
    isPartitioned: kind === "p",
    isFiltered: right?.filtered === true,
    columns: await columnsOf(client, oid),
  };
}

/** Columns of the same table in the candidate database; `undefined` when it has no such table. */
export async function targetColumns(
  client: Client,
  { sql }: LiveTable,
): Promise<readonly Column[] | undefined> {
  const [found] = await lookUp(client, sql);
  if (!found) return undefined;
  return ["r", "p"].includes(found.kind) ? columnsOf(client, found.oid) : undefined;
}

interface Relation {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
}

async function lookUp(client: Client, table: string): Promise<Relation[]> {
  try {
    // to_regclass returns null for an invalid name; parse_ident throws.
    await client.query("SELECT parse_ident($1)", [table]);
    const { rows } = await client.query<Relation>(
      `SELECT c.oid::text, n.nspname AS schema, c.relname AS name, c.relkind AS kind
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)`,
      [table],
    );
    return rows;
  } catch (error) {
    throw new AgentError(
      `database.keep: ${JSON.stringify(table)} is not a valid table name (${messageOf(error)}); write it as in SQL, e.g. testers, qa.sign_off or "Odd Name"`,
      { cause: error },
    );
  }
}

async function columnsOf(client: Client, oid: string): Promise<Column[]> {
  const { rows } = await client.query<Column>(
    `SELECT attname AS name, format_type(atttypid, -1) AS type, attgenerated <> '' AS generated,
            'oid'::regtype IN (atttypid, t.typbasetype) AS "isObjectId"
     FROM pg_attribute JOIN pg_type t ON t.oid = atttypid WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [oid],
  );
  return rows;
}

const kinds: Readonly<Record<string, string>> = {
  v: "view",
  m: "materialized view",
  f: "foreign table",
  S: "sequence",
  i: "index",
  I: "index",
  c: "type",
};
