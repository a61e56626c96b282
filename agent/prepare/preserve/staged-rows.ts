import { pipeline } from "node:stream/promises";
import type { Client } from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError, messageOf } from "../../system/errors";
import type { Column, LiveTable } from "./tables";

/** Rows fetched per query. */
const fetchSize = 500;

/** A row of the live database, with all values as text. */
export interface StagedRow {
  readonly line: number;
  readonly values: Readonly<Record<string, string | null>>;
}

/** Rows of a live table in a temporary table of the candidate database. Its columns are text, so every row fits. */
export class StagedRows {
  readonly #columns: readonly Column[];

  private constructor(
    private readonly client: Client,
    /** The temporary table, qualified. */
    readonly table: string,
    columns: readonly Column[],
    /** Number of rows; their lines are numbered from 1. */
    readonly count: number,
  ) {
    this.#columns = columns;
  }

  /** Streams the rows to be preserved into the temporary table. */
  static async copy(
    source: Client,
    target: Client,
    { rule, sql, isPartitioned, isFiltered, columns: all }: LiveTable,
    number: number,
  ): Promise<StagedRows> {
    const columns = all.filter(({ generated }) => !generated);
    const table = `pg_temp.preserved_${number}`;
    const staged = columns.map((_, i) => `c${i}`);
    await target.query(
      `CREATE TEMPORARY TABLE preserved_${number} (line bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY${staged.map((name) => `, ${name} text`).join("")})`,
    );
    // Inherited tables are separate tables; partitions are not.
    const rows = `SELECT ${columns.map(({ name }) => q(name)).join(", ")} FROM ${isPartitioned ? "" : "ONLY "}${sql}`;
    const where = rule.where === undefined ? "" : ` WHERE (${rule.where}\n)`;
    if (where !== "") await checkCondition(source, rule.table, `${rows}${where}`, isFiltered);
    const into = target.query(copyFrom(`COPY ${table} (${staged.join(", ")}) FROM STDIN`));
    await pipeline(source.query(copyTo(`COPY (${rows}${where}) TO STDOUT`)), into);
    await target.query(`ANALYZE ${table}`);
    return new StagedRows(target, table, columns, into.rowCount);
  }

  /** The lines of all rows. */
  get lines(): number[] {
    return Array.from({ length: this.count }, (_, i) => i + 1);
  }

  /** SQL expression for a column of the live table, of type text; `undefined` when the live table has no such column. */
  valueOf(column: string): string | undefined {
    const at = this.#columns.findIndex(({ name }) => name === column);
    return at < 0 ? undefined : `c${at}`;
  }

  /** Values of the columns that may hold ids of large objects. */
  async objectIds(): Promise<string[]> {
    const columns = this.#objectColumns();
    if (columns.length === 0) return [];
    const each = columns.map((column) => `SELECT ${column} AS id FROM ${this.table}`);
    const { rows } = await this.client.query<{ id: string }>(
      `SELECT DISTINCT id FROM (${each.join(" UNION ALL ")}) AS ids WHERE id IS NOT NULL AND id <> '0'`,
    );
    return rows.map(({ id }) => id);
  }

  /** Puts new ids of large objects in place of the old ones. @param lines The rows */
  async renameObjects(
    renamed: ReadonlyMap<string, string>,
    lines: readonly number[],
  ): Promise<void> {
    const [from, to] = [[...renamed.keys()], [...renamed.values()]];
    for (const column of this.#objectColumns()) {
      await this.client.query(
        `UPDATE ${this.table} SET ${column} = n.new_id FROM unnest($1::text[], $2::text[]) AS n (old_id, new_id)
         WHERE ${column} = n.old_id AND line = ANY ($3::bigint[])`,
        [from, to, lines],
      );
    }
  }

  #objectColumns(): string[] {
    return this.#columns.flatMap(({ isObjectId }, i) => (isObjectId ? [`c${i}`] : []));
  }

  /** Columns of the live table except the given ones. */
  columnsExcept(names: readonly string[]): readonly string[] {
    return this.#columns.flatMap(({ name }) => (names.includes(name) ? [] : [name]));
  }

  /** Lines of rows that have a value in one of these columns. */
  async linesWith(columns: readonly string[]): Promise<number[]> {
    if (columns.length === 0) return [];
    const values = columns.map((column) => this.valueOf(column) ?? "NULL");
    const { rows } = await this.client.query<{ line: string }>(
      `SELECT line FROM ${this.table} WHERE num_nonnulls(${values.join(", ")}) > 0 ORDER BY line`,
    );
    return rows.map(({ line }) => Number(line));
  }

  /** Yields the rows of the given lines. */
  async *rows(lines: readonly number[]): AsyncGenerator<StagedRow, void, undefined> {
    for (let i = 0; i < lines.length; i += fetchSize) {
      const { rows } = await this.client.query<Record<string, string | null>>(
        `SELECT * FROM ${this.table} WHERE line = ANY($1::bigint[]) ORDER BY line`,
        [lines.slice(i, i + fetchSize)],
      );
      for (const row of rows) {
        const values = this.#columns.map(({ name }, at) => [name, row[`c${at}`] ?? null] as const);
        yield { line: Number(row["line"]), values: Object.fromEntries(values) };
      }
    }
  }
}

/** Checks the condition of a rule, which a user wrote: PostgreSQL's error is reported with the key of the stack file. */
async function checkCondition(
  source: Client,
  table: string,
  query: string,
  isFiltered: boolean,
): Promise<void> {
  if (isFiltered) {
    throw new AgentError(
      `database.keep: policies of ${table} apply to its owner (FORCE ROW LEVEL SECURITY), so a condition would not see all rows; remove the condition to keep the whole table, or run in the live database: ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`,
    );
  }
  try {
    await source.query(`EXPLAIN ${query}`);
  } catch (error) {
    throw new AgentError(
      `database.keep: PostgreSQL rejects the condition for ${table}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
