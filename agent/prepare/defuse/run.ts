import type { Client, QueryResult } from "pg";
import type { Defuse, DefuseReport, DefuseStatement } from "../../../model/defuse/statement";
import { AgentError } from "../../system/errors";
import { failureText } from "../masks/failure";
import { withConnection } from "../../postgres/connect";
import { withMaskingSessions, type MaskedDatabase } from "../masks/masking-session";
import { deleteStatistics } from "../masks/remnants";
import { findBrokenForeignKey } from "./broken-foreign-key";

/**
 * Defuses a database without other connections. Each statement runs in its own transaction, in order, followed by its
 * post-condition; at the end all post-conditions are checked again. Throws at the first failure; the caller must then
 * drop the database. Previous values of changed rows are removed from the database's files. Run ANALYZE afterwards.
 */
export async function runDefuse(
  database: MaskedDatabase,
  statements: Defuse,
): Promise<DefuseReport> {
  return withMaskingSessions(database, async (open) => {
    const client = await open();
    try {
      return await runWith(client, database.database, statements);
    } finally {
      await client.end();
    }
  });
}

async function runWith(
  client: Client,
  database: string,
  statements: Defuse,
): Promise<DefuseReport> {
  const started = performance.now();
  await client.query("SET search_path = public");
  const changed = new Set<string>();
  const done: DefuseReport["statements"] = [];
  for (const statement of statements) done.push(await runOne(client, statement, changed));
  for (const statement of statements) {
    await expectTrue(
      client,
      statement,
      "is false again after the later statements; change their order, or the statement that undoes it",
    );
  }
  for (const table of changed) await client.query(`VACUUM (FULL) ${table}`);
  if (changed.size > 0) await withConnection(database, deleteStatistics);
  return { statements: done, seconds: secondsSince(started) };
}

async function runOne(
  client: Client,
  statement: DefuseStatement,
  changed: Set<string>,
): Promise<DefuseReport["statements"][number]> {
  const { name, sql } = statement;
  const started = performance.now();
  try {
    await client.query("BEGIN");
    const transaction = await transactionId(client);
    const result = (await client.query(sql).catch((error: unknown) => {
      throw failure(name, sql, error);
    })) as QueryResult | QueryResult[];
    await expectTrue(
      client,
      statement,
      "is false after the statement; change the statement, or the post-condition if it is too strict",
    );
    if ((await transactionId(client)) !== transaction) {
      throw new AgentError(
        `defuse "${name}": its statements end the transaction in which they run; remove COMMIT and ROLLBACK`,
      );
    }
    const tables = await tablesChanged(client);
    for (const { name: table, stale } of tables) if (stale) changed.add(table);
    const broken = await findBrokenForeignKey(
      client,
      tables.map(({ id }) => id),
    );
    if (broken !== undefined) {
      throw new AgentError(
        `defuse "${name}": leaves rows of ${broken.table} without the row of ${broken.referenced} that they reference (foreign key ${broken.name}); delete those rows first, because ON DELETE does not fire here`,
      );
    }
    await client.query("COMMIT");
    const rows = (Array.isArray(result) ? result : [result])
      .filter(({ command }) => ["INSERT", "UPDATE", "DELETE", "MERGE"].includes(command))
      .reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0);
    return { name, rows, seconds: secondsSince(started) };
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function expectTrue(
  client: Client,
  { name, expect }: DefuseStatement,
  falseText: string,
): Promise<void> {
  const { rows } = await client
    .query<unknown[]>({ text: expect, rowMode: "array" })
    .catch((error: unknown) => {
      throw failure(name, expect, error);
    });
  if (rows.length === 1 && rows[0]?.length === 1 && rows[0][0] === true) return;
  const [first] = rows;
  const isFalse = rows.length === 1 && first?.length === 1 && first[0] === false;
  const problem = isFalse
    ? falseText
    : "must return one row with one column that is true or false; write it as SELECT NOT EXISTS (…)";
  throw new AgentError(`defuse "${name}": its post-condition ${problem}\n  ${oneLine(expect)}`);
}

/** Tables that the transaction has changed; `stale` if it updated or deleted rows. */
async function tablesChanged(
  client: Client,
): Promise<{ id: number; name: string; stale: boolean }[]> {
  const { rows } = await client.query<{ id: number; name: string; stale: boolean }>(`
    SELECT relid::int8::float8 AS id, relid::regclass::text AS name, n_tup_upd + n_tup_del > 0 AS stale
    FROM pg_stat_xact_user_tables WHERE n_tup_upd + n_tup_del + n_tup_ins > 0`);
  return rows;
}

async function transactionId(client: Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>("SELECT pg_current_xact_id()::text AS id");
  return rows[0]?.id ?? "";
}

function failure(name: string, sql: string, error: unknown): AgentError {
  const { position } = error as { position?: string };
  const from = position === undefined ? sql : sql.slice(Math.max(0, Number(position) - 1));
  return new AgentError(
    `defuse "${name}": ${failureText(error)}; fix the statement, or remove it if it no longer applies to the application\n  ${oneLine(from)}`,
    { cause: error },
  );
}

function oneLine(sql: string): string {
  const text = sql.replaceAll(/\s+/g, " ").trim();
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}

function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}
