import { DatabaseError, type Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";
import type { StagedRows } from "./staged-rows";
import type { Column } from "./tables";

/** A row that PostgreSQL refused. */
export interface RejectedRow {
  readonly line: number;
  readonly sqlstate: string;
  readonly message: string;
}

/** Puts staged rows into a table, within the transaction of the session, and finds those that do not fit. */
export class RowInserter {
  readonly #shared: readonly { readonly column: Column; readonly value: string }[];

  constructor(
    private readonly client: Client,
    /** As SQL writes it. */
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
   * Puts rows in, all at once where they fit; else half and half again, until each that does not fit is known. `lines`
   * are all when left out.
   */
  async insert(lines?: readonly number[]): Promise<RejectedRow[]> {
    if (this.staged.count === 0 || lines?.length === 0) return [];
    const refused = await this.#tryInsert(lines);
    if (!refused) return [];
    const all = lines ?? this.staged.lines;
    if (all.length === 1) {
      const { code = "XX000", message, detail } = refused;
      const said = detail === undefined ? message : `${message}: ${detail}`;
      return [{ line: all[0] as number, sqlstate: code, message: said }];
    }
    const half = Math.ceil(all.length / 2);
    return [...(await this.insert(all.slice(0, half))), ...(await this.insert(all.slice(half)))];
  }

  /** Lines that are in the table already, column by column; `undefined` when that cannot be told. */
  async linesPresent(lines?: readonly number[]): Promise<number[] | undefined> {
    if (this.staged.count === 0 || this.#shared.length === 0) return [];
    const here = this.#shared.map(({ column, value }) => `${value}::${column.type}::text`);
    const there = this.#shared.map(({ column }) => `t.${q(column.name)}::text`);
    const some = lines === undefined ? "" : "line = ANY($1::bigint[]) AND ";
    return this.#withSavepoint(async () => {
      const { rows } = await this.client.query<{ line: string }>(
        `SELECT line FROM ${this.staged.table} WHERE ${some}ROW(${here.join(", ")})::text IN (SELECT ROW(${there.join(", ")})::text FROM ${this.table} t) ORDER BY line`,
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

  /** What PostgreSQL says against it is the result, and what was done is taken back; a lost connection is thrown. */
  async #withSavepoint<T>(work: () => Promise<T>): Promise<T | DatabaseError> {
    await this.client.query("SAVEPOINT fit");
    try {
      const result = await work();
      await this.client.query("RELEASE SAVEPOINT fit");
      return result;
    } catch (error) {
      if (!(error instanceof DatabaseError) || !/^[0-9A-Z]{5}$/.test(error.code ?? "")) throw error;
      // Not the rows' fault: no memory, no disk, ended by somebody.
      if (/^(?:53|57|58|08|XX)/.test(error.code ?? "")) throw error;
      await this.client.query("ROLLBACK TO SAVEPOINT fit");
      await this.client.query("RELEASE SAVEPOINT fit");
      return error;
    }
  }
}
