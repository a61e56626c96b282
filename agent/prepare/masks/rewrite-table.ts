import type { Client, QueryConfig } from "pg";
import type { TableRewrite } from "../../../model/masks/plan";
import { countSql, rewriteSql } from "../../../model/masks/statements";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError } from "../../system/errors";
import { maskFailure } from "./failure";

/** Result of masking a table. */
export interface RewriteResult {
  readonly rows: number;
  /** Number of masked values, for each column. */
  readonly values: readonly number[];
  readonly seconds: number;
}

/**
 * Rewrites a table with masked values, in one transaction. The table, its TOAST table and its indexes get new files, so
 * that no previous value remains.
 *
 * @param client A session of the owner.
 * @param admin A session of the superuser, for the catalogs.
 */
export async function rewriteTable(
  client: Client,
  admin: Client,
  rewrite: TableRewrite,
): Promise<RewriteResult> {
  const started = performance.now();
  const sql = rewriteSql(rewrite);
  try {
    await client.query("BEGIN");
    const enable = await disableTriggersAndRules(client, rewrite);
    const counted = await one(client, countSql(rewrite));
    await runSingleStatement(client, sql.mask);
    await client.query(sql.empty);
    await disableIndexes(admin, rewrite);
    const { rowCount } = await client.query(sql.fill);
    const rows = Number(counted["rows"]);
    if (rowCount !== rows) {
      throw new AgentError(
        `${rewrite.title} had ${rows} rows and would have ${rowCount ?? 0} after masking; a rule or trigger with ENABLE ALWAYS changes the inserted rows: drop it, or mask by a defuse statement`,
      );
    }
    for (const relation of rewrite.relations) await rebuildIndexes(client, relation);
    for (const statement of enable) await client.query(statement);
    await client.query("COMMIT");
    const values = rewrite.masked.map((_, i) => Number(counted[`m${i + 1}`]));
    return { rows, values, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error instanceof AgentError ? error : maskFailure(`masking ${rewrite.title}`, error);
  }
}

/** Runs SQL in the extended protocol, which allows only one statement, whatever an expression contains. */
export async function runSingleStatement(client: Client, text: string): Promise<void> {
  // The type declarations of pg lack queryMode.
  const query: QueryConfig & { queryMode: "extended" } = { text, queryMode: "extended" };
  await client.query(query);
}

async function one(client: Client, text: string): Promise<Record<string, unknown>> {
  const { rows } = await client.query<Record<string, unknown>>(text);
  return rows[0] ?? {};
}

/**
 * Disables triggers and rules that fire even with session_replication_role = replica. Returns the statements that enable
 * them again as before.
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
 * Marks the indexes as not ready, so that PostgreSQL does not update them while rows are inserted; building them
 * afterwards takes a fraction of the time. There is no statement for this. REINDEX marks them as ready again. In a session of
 * its own, because only a superuser can do this: TRUNCATE before it would mark them as ready, and the rows come after it.
 */
async function disableIndexes(admin: Client, { relations }: TableRewrite): Promise<void> {
  await admin.query(
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
    throw new AgentError(
      `an index of ${rows[0]?.name ?? ""} was not rebuilt; please report this as a bug`,
    );
}
