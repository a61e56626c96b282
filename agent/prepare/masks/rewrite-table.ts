import type { Client, QueryConfig } from "pg";
import type { TableRewrite } from "../../../model/masks/plan";
import { countSql, rewriteSql } from "../../../model/masks/statements";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError } from "../../system/errors";
import { maskFailure } from "./failure";

/** What became of a table. */
export interface RewriteResult {
  readonly rows: number;
  /** Values that were masked, for each of the columns. */
  readonly values: readonly number[];
  readonly seconds: number;
}

/**
 * Writes a table anew with masked values, in one transaction. Its rows get new files, its indexes and TOAST as well, so
 * nothing of the old values stays in any of them.
 */
export async function rewriteTable(client: Client, rewrite: TableRewrite): Promise<RewriteResult> {
  const started = performance.now();
  const sql = rewriteSql(rewrite);
  try {
    await client.query("BEGIN");
    const always = await disableTriggersAndRules(client, rewrite);
    const counted = await one(client, countSql(rewrite));
    await runSingleStatement(client, sql.mask);
    await client.query(sql.empty);
    await disableIndexes(client, rewrite);
    const { rowCount } = await client.query(sql.fill);
    const rows = Number(counted["rows"]);
    if (rowCount !== rows) {
      throw new AgentError(
        `${rewrite.title} had ${rows} rows and would have ${rowCount ?? 0} after masking; a rule or trigger ENABLE ALWAYS changes what is inserted: take it out, or mask by a defuse statement`,
      );
    }
    for (const relation of rewrite.relations) await rebuildIndexes(client, relation);
    for (const statement of always) await client.query(statement);
    await client.query("COMMIT");
    const values = rewrite.masked.map((_, i) => Number(counted[`m${i + 1}`]));
    return { rows, values, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error instanceof AgentError ? error : maskFailure(`masking ${rewrite.title}`, error);
  }
}

/** One statement only, whatever stands in an expression. */
export async function runSingleStatement(client: Client, text: string): Promise<void> {
  // The types do not know it yet.
  const query: QueryConfig & { queryMode: "extended" } = { text, queryMode: "extended" };
  await client.query(query);
}

async function one(client: Client, text: string): Promise<Record<string, unknown>> {
  const { rows } = await client.query<Record<string, unknown>>(text);
  return rows[0] ?? {};
}

/**
 * Triggers and rules that fire even in a session for replication are switched off; the statements that switch them on
 * again as they were.
 */
async function disableTriggersAndRules(
  client: Client,
  { relations }: TableRewrite,
): Promise<string[]> {
  const { rows } = await client.query<{ table: string; name: string; kind: string; mode: string }>(
    `SELECT tgrelid::regclass::text AS table, tgname AS name, 'TRIGGER' AS kind, tgenabled AS mode
     FROM pg_trigger WHERE tgrelid = ANY ($1::oid[]) AND NOT tgisinternal AND tgenabled IN ('A', 'R')
     UNION ALL
     SELECT ev_class::regclass::text, rulename, 'RULE', ev_enabled
     FROM pg_rewrite WHERE ev_class = ANY ($1::oid[]) AND ev_enabled IN ('A', 'R')`,
    [relations],
  );
  for (const { table, kind, name } of rows)
    await client.query(`ALTER TABLE ${table} DISABLE ${kind} ${q(name)}`);
  return rows.map(
    ({ table, kind, name, mode }) =>
      `ALTER TABLE ${table} ENABLE ${mode === "A" ? "ALWAYS" : "REPLICA"} ${kind} ${q(name)}`,
  );
}

/**
 * Indexes are built in one go behind the rows, which takes a fraction of the time. PostgreSQL has no statement for it, but
 * leaves an index alone that is marked as not ready; REINDEX marks it as ready again, having checked it.
 */
async function disableIndexes(client: Client, { relations }: TableRewrite): Promise<void> {
  await client.query(
    "UPDATE pg_index SET indisready = false, indisvalid = false WHERE indrelid = ANY ($1::oid[]) AND indislive",
    [relations],
  );
}

async function rebuildIndexes(client: Client, relation: number): Promise<void> {
  const { rows } = await client.query<{ name: string }>("SELECT $1::oid::regclass::text AS name", [
    relation,
  ]);
  await client.query(`REINDEX TABLE ${rows[0]?.name ?? ""}`);
  const { rowCount } = await client.query(
    "SELECT FROM pg_index WHERE indrelid = $1 AND NOT (indisready AND indisvalid)",
    [relation],
  );
  if (rowCount !== 0)
    throw new AgentError(`an index of ${rows[0]?.name ?? ""} was not built again; report this`);
}
