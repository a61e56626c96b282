import type { Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { callsOf, isOwnTable } from "./code-of-data";
import { maskFailure } from "./failure";

interface Generated {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly expression: string;
  readonly notNull: boolean;
}

/** The generated columns that call functions of the data, which are NULL meanwhile. PostgreSQL 17 or later. */
export class SuspendedColumns {
  #columns: readonly Generated[] = [];

  /** @param owner A session with an empty `search_path`, as the owner of the tables. */
  async clear(owner: Client): Promise<void> {
    this.#columns = (await owner.query<Generated>(generatedSql)).rows;
    for (const { table, column, type, notNull } of this.#columns) {
      if (notNull) await owner.query(`ALTER TABLE ${table} ALTER ${q(column)} DROP NOT NULL`);
      await owner.query(
        `ALTER TABLE ${table} ALTER ${q(column)} SET EXPRESSION AS (NULL::${type})`,
      );
    }
  }

  /** Computes them again. */
  async restore(owner: Client): Promise<void> {
    for (const { table, column, expression, notNull } of this.#columns) {
      const actions = [
        `ALTER ${q(column)} SET EXPRESSION AS (${expression})`,
        ...(notNull ? [`ALTER ${q(column)} SET NOT NULL`] : []),
      ];
      try {
        await owner.query(`ALTER TABLE ${table} ${actions.join(", ")}`);
      } catch (error) {
        throw maskFailure(`the generated column ${q(column)} of ${table} after masking`, error);
      }
    }
  }
}

/** Those that no parent table has, because a change reaches the children. */
const generatedSql = `
  SELECT a.attrelid::regclass::text AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
         pg_get_expr(d.adbin, d.adrelid) AS expression, a.attnotnull AS "notNull"
  FROM pg_attribute a JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
  WHERE a.attgenerated = 's' AND a.attinhcount = 0 AND ${isOwnTable("a.attrelid")} AND EXISTS (${callsOf("pg_attrdef", "d.oid")})
  ORDER BY a.attrelid, a.attnum`;
