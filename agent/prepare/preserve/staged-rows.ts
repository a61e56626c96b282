import { pipeline } from "node:stream/promises";
import type { Client } from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError, messageOf } from "../../system/errors";
import type { Column, LiveTable } from "./tables";

/** Rows fetched at once. */
const fetchSize = 500;

/** A row as it was in the live database: every value as text. */
export interface StagedRow {
  readonly line: number;
  readonly values: Readonly<Record<string, string | null>>;
}

/** Rows of a live table in a temporary table of the other database: every value is text there, so any row fits. */
export class StagedRows {
  readonly #columns: readonly Column[];

  private constructor(
    private readonly client: Client,
    /** The temporary table, as SQL writes it. */
    readonly table: string,
    columns: readonly Column[],
    /** How many there are; their lines count from 1. */
    readonly count: number,
  ) {
    this.#columns = columns;
  }

  /** Copies the rows that are to be kept, as they come, without holding them in memory. */
  static async copy(
    source: Client,
    target: Client,
    { keep, sql, isPartitioned, columns: all }: LiveTable,
    number: number,
  ): Promise<StagedRows> {
    const columns = all.filter(({ generated }) => !generated);
    const table = `pg_temp.kept_${number}`;
    const staged = columns.map((_, i) => `c${i}`);
    await target.query(
      `CREATE TEMPORARY TABLE kept_${number} (line bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY${staged.map((name) => `, ${name} text`).join("")})`,
    );
    // Children by inheritance are tables of their own; partitions are not.
    const rows = `SELECT ${columns.map(({ name }) => q(name)).join(", ")} FROM ${isPartitioned ? "" : "ONLY "}${sql}`;
    const where = keep.where === undefined ? "" : ` WHERE (${keep.where}\n)`;
    if (where !== "") await checkCondition(source, keep.table, `${rows}${where}`);
    const into = target.query(copyFrom(`COPY ${table} (${staged.join(", ")}) FROM STDIN`));
    await pipeline(source.query(copyTo(`COPY (${rows}${where}) TO STDOUT`)), into);
    await target.query(`ANALYZE ${table}`);
    return new StagedRows(target, table, columns, into.rowCount);
  }

  /** The lines of all rows. */
  get lines(): number[] {
    return Array.from({ length: this.count }, (_, i) => i + 1);
  }

  /** The expression of a column of the live table, as text; `undefined` when the live table has no such column of its own. */
  valueOf(column: string): string | undefined {
    const at = this.#columns.findIndex(({ name }) => name === column);
    return at < 0 ? undefined : `c${at}`;
  }

  /** Columns of the live table that are not among these. */
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

  /** The rows of some lines, a few at a time. */
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

/** A condition is a person's SQL: what PostgreSQL says of it is told by its place in the settings. */
async function checkCondition(source: Client, table: string, query: string): Promise<void> {
  try {
    await source.query(`EXPLAIN ${query}`);
  } catch (error) {
    throw new AgentError(
      `database.keep: PostgreSQL refuses the condition for ${table}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
