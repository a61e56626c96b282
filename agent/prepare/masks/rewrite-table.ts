import type { Client, QueryConfig } from "pg";
import type { TableRewrite } from "../../../model/masks/plan";
import { countSql, rewriteSql } from "../../../model/masks/statements";
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
 * Rewrites a table with masked values, in one transaction, while the code of the data is suspended. The table and its
 * TOAST table get new files, so that no previous value remains, and {@link rebuildIndexes} must follow. An unlogged table of
 * `unlogged` is logged afterwards.
 *
 * @param client A session of the owner, with the key of the masks.
 * @param admin A session of the superuser, for the catalogs.
 */
export async function rewriteTable(
  client: Client,
  admin: Client,
  rewrite: TableRewrite,
  unlogged: ReadonlySet<number>,
): Promise<RewriteResult> {
  const started = performance.now();
  const sql = rewriteSql(rewrite);
  try {
    await client.query("BEGIN");
    const counted = await one(client, countSql(rewrite));
    await runSingleStatement(client, sql.mask);
    await hideIndexes(admin, rewrite);
    await client.query(sql.empty);
    for (const relation of rewrite.relations)
      if (unlogged.has(relation)) await setLogged(client, relation);
    const { rowCount } = await client.query(sql.fill);
    const rows = Number(counted["rows"]);
    if (rowCount !== rows) {
      throw new AgentError(
        `${rewrite.title} had ${rows} rows and would have ${rowCount ?? 0} after masking; please report this as a bug`,
      );
    }
    await client.query("COMMIT");
    await showIndexes(admin, rewrite);
    const values = rewrite.masked.map((_, i) => Number(counted[`m${i + 1}`]));
    return { rows, values, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error instanceof AgentError ? error : maskFailure(`masking ${rewrite.title}`, error);
  }
}

/** Makes an unlogged table an ordinary one; an empty one at once. */
export async function setLogged(client: Client, relation: number): Promise<void> {
  const name = await relationName(client, relation);
  if (name !== undefined) await client.query(`ALTER TABLE ${name} SET LOGGED`);
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
 * Hides the indexes from PostgreSQL, so that it neither empties them nor updates them while rows are inserted: that would call
 * functions of the data, and building them afterwards takes a fraction of the time. There is no statement for this. In a
 * session of its own, because only a superuser can do this.
 */
async function hideIndexes(admin: Client, { relations }: TableRewrite): Promise<void> {
  await admin.query(
    "UPDATE pg_index SET indislive = false, indisready = false, indisvalid = false WHERE indrelid = ANY ($1::oid[])",
    [relations],
  );
}

/** Shows them again, not ready until {@link rebuildIndexes}. */
async function showIndexes(admin: Client, { relations }: TableRewrite): Promise<void> {
  await admin.query("UPDATE pg_index SET indislive = true WHERE indrelid = ANY ($1::oid[])", [
    relations,
  ]);
}

/**
 * Builds the indexes of a rewritten table, whose expressions may call functions of the data.
 *
 * @param client A session of the owner, without the key of the masks.
 */
export async function rebuildIndexes(client: Client, rewrite: TableRewrite): Promise<void> {
  try {
    for (const relation of rewrite.relations) await rebuildIndexesOf(client, relation);
  } catch (error) {
    throw error instanceof AgentError ? error : maskFailure(`masking ${rewrite.title}`, error);
  }
}

async function rebuildIndexesOf(client: Client, relation: number): Promise<void> {
  const name = await relationName(client, relation);
  const { rowCount: stale } = await client.query(staleIndexSql, [relation]);
  if (name === undefined || stale === 0) return;
  await client.query(`REINDEX TABLE ${name}`);
  const { rowCount } = await client.query(staleIndexSql, [relation]);
  if (rowCount !== 0)
    throw new AgentError(`an index of ${name} was not rebuilt; please report this as a bug`);
}

const staleIndexSql =
  "SELECT FROM pg_index WHERE indrelid = $1 AND NOT (indisready AND indisvalid)";

async function relationName(client: Client, relation: number): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE oid = $1",
    [relation],
  );
  return rows[0]?.name;
}
