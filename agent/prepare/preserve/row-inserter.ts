import { DatabaseError, type Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";
import type { StagedRows } from "./staged-rows";
import type { Column } from "./tables";

/** A row that PostgreSQL rejected. */
export interface RejectedRow {
  readonly line: number;
  readonly sqlstate: string;
  readonly message: string;
}

/** Inserts staged rows into a table, within the session's transaction, and finds those that PostgreSQL rejects. */
export class RowInserter {
  readonly #shared: readonly { readonly column: Column; readonly value: string }[];

  constructor(
    private readonly client: Client,
    /** Qualified and quoted. */
    private readonly table: string,
    private readonly target: readonly Column[],
    private readonly staged: StagedRows,
  ) {
    this.#shared = target.flatMap((column) => {
      const value = column.generated ? undefined : staged.valueOf(column.name);
      return value === undefined ? [] : [{ column, value }];
    });
  }

  /** Names of the columns that both tables have. */
  get columns(): readonly string[] {
    return this.#shared.map(({ column }) => column.name);
  }

  /** Names of the columns that PostgreSQL computes. */
  get computed(): readonly string[] {
    return this.target.flatMap(({ name, generated }) => (generated ? [name] : []));
  }

  /**
   * Inserts rows in one statement; if PostgreSQL rejects it, bisects the rows until each rejected row is known.
   *
   * @param lines Lines of the rows. @default all
   */
  async insert(lines?: readonly number[]): Promise<RejectedRow[]> {
    if (this.staged.count === 0 || lines?.length === 0) return [];
    const rejection = await this.#tryInsert(lines);
    if (!rejection) return [];
    const all = lines ?? this.staged.lines;
    if (all.length === 1) {
      const { code = "XX000", message, detail } = rejection;
      const text = detail === undefined ? message : `${message}: ${detail}`;
      return [{ line: all[0] as number, sqlstate: code, message: text }];
    }
    const half = Math.ceil(all.length / 2);
    return [...(await this.insert(all.slice(0, half))), ...(await this.insert(all.slice(half)))];
  }

  /** Lines whose values are in the table already; `undefined` when PostgreSQL cannot compare them. */
  async linesPresent(lines?: readonly number[]): Promise<number[] | undefined> {
    if (this.staged.count === 0 || this.#shared.length === 0) return [];
    const staged = this.#shared.map(({ column, value }) => `${value}::${column.type}::text`);
    const present = this.#shared.map(({ column }) => `t.${q(column.name)}::text`);
    const some = lines === undefined ? "" : "line = ANY($1::bigint[]) AND ";
    return this.#withSavepoint(async () => {
      const { rows } = await this.client.query<{ line: string }>(
        `SELECT line FROM ${this.staged.table} WHERE ${some}ROW(${staged.join(", ")})::text IN (SELECT ROW(${present.join(", ")})::text FROM ${this.table} t) ORDER BY line`,
        lines === undefined ? [] : [lines],
      );
      return rows.map(({ line }) => Number(line));
    }).then((found) => (found instanceof DatabaseError ? undefined : found));
  }

  async #tryInsert(lines: readonly number[] | undefined): Promise<DatabaseError | undefined> {
    const names = this.#shared.map(({ column }) => q(column.name)).join(", ");
    const values = this.#shared.map(({ column, value }) => `${value}::${column.type}`).join(", ");
    const some = lines === undefined ? "" : "WHERE line = ANY($1::bigint[]) ";
    const rows = `SELECT ${values} FROM ${this.staged.table} ${some}ORDER BY line`;
    const result = await this.#withSavepoint(async () => {
      await this.client.query(
        `INSERT INTO ${this.table} (${names}) OVERRIDING SYSTEM VALUE ${rows}`,
        lines === undefined ? [] : [lines],
      );
    });
    return result instanceof DatabaseError ? result : undefined;
  }

  /** Runs `work` in a savepoint. A rejection is rolled back and returned; server failures and a lost connection are thrown. */
  async #withSavepoint<T>(work: () => Promise<T>): Promise<T | DatabaseError> {
    await this.client.query("SAVEPOINT preserve");
    try {
      const result = await work();
      await this.client.query("RELEASE SAVEPOINT preserve");
      return result;
    } catch (error) {
      if (!(error instanceof DatabaseError) || !/^[0-9A-Z]{5}$/.test(error.code ?? "")) throw error;
      // Not caused by the rows: out of memory, disk full, session terminated.
      if (/^(?:53|57|58|08|XX)/.test(error.code ?? "")) throw error;
      await this.client.query("ROLLBACK TO SAVEPOINT preserve");
      await this.client.query("RELEASE SAVEPOINT preserve");
      return error;
    }
  }
}
