import type { Client } from "pg";
import { quoteIdentifier as q, quoteLiteral } from "../../../model/base/sql";
import { isOfData, isOwnTable } from "./code-of-data";
import { maskFailure } from "./failure";

interface Check {
  readonly on: string;
  readonly isDomain: boolean;
  readonly name: string;
  readonly definition: string;
  readonly comment: string | null;
  readonly isLocal: boolean;
}

/**
 * The CHECK constraints of tables and domains, all of them: also one that calls only PostgreSQL's functions can write
 * what it sees, e.g. into a large object.
 */
export class SuspendedChecks {
  #checks: readonly Check[] = [];

  /** @param owner A session with an empty `search_path`, as the owner of the tables. */
  async drop(owner: Client): Promise<void> {
    this.#checks = (await owner.query<Check>(checksSql)).rows;
    for (const { on, name } of this.#checks.filter(({ isDomain }) => isDomain))
      await owner.query(`ALTER DOMAIN ${on} DROP CONSTRAINT ${q(name)}`);
    // Dropping an inherited one from its parent drops it from the children, unless they have it themselves.
    for (;;) {
      const { rows } = await owner.query<{ on: string; actions: string }>(topmostSql);
      for (const { on, actions } of rows) await owner.query(`ALTER TABLE ${on} ${actions}`);
      if (rows.length === 0) return;
    }
  }

  /**
   * Creates them again; PostgreSQL checks every row.
   *
   * @param admin A session of the superuser, for the catalogs.
   */
  async restore(owner: Client, admin: Client): Promise<void> {
    for (const check of this.#checks) if (check.isDomain) await addToDomain(owner, admin, check);
    const own = this.#checks.filter(({ isDomain, isLocal }) => !isDomain && isLocal);
    for (const on of new Set(own.map((check) => check.on))) {
      // In one pass over the table.
      const checks = own.filter((check) => check.on === on);
      const actions = checks.map(
        ({ name, definition }) => `ADD CONSTRAINT ${q(name)} ${definition}`,
      );
      try {
        await owner.query(`ALTER TABLE ${on} ${actions.join(", ")}`);
      } catch (error) {
        throw maskFailure(`masking ${shown(on)}`, error);
      }
    }
    for (const { on, isDomain, name, comment } of this.#checks) {
      if (comment !== null)
        await owner.query(
          `COMMENT ON CONSTRAINT ${q(name)} ON ${isDomain ? "DOMAIN " : ""}${on} IS ${quoteLiteral(comment)}`,
        );
    }
  }
}

async function addToDomain(owner: Client, admin: Client, check: Check): Promise<void> {
  const { on, name, definition } = check;
  const add = `ALTER DOMAIN ${on} ADD CONSTRAINT ${q(name)} ${definition}`;
  try {
    await owner.query(add);
  } catch (error) {
    // PostgreSQL cannot check the values in arrays, composite types and ranges.
    if ((error as { code?: string }).code !== "0A000")
      throw maskFailure(`the check ${name} of the domain ${shown(on)} after masking`, error);
    await owner.query(`${add} NOT VALID`);
    await checkValues(owner, check);
    await admin
      .query(
        "UPDATE pg_constraint SET convalidated = true WHERE contypid = $1::regtype AND conname = $2",
        [on, name],
      )
      // Where the agent is not a superuser it stays NOT VALID, which PostgreSQL enforces for new values all the same.
      .catch(() => undefined);
  }
}

/** Reads every value of a domain from its text, which checks it, wherever in a column's type the domain is. */
async function checkValues(owner: Client, { on, name }: Check): Promise<void> {
  const { rows } = await owner.query<{ table: string; column: string; type: string }>(
    containersSql,
    [on],
  );
  for (const { table, column, type } of rows) {
    try {
      await owner.query(`SELECT count((${q(column)}::text)::${type}) FROM ONLY ${table}`);
    } catch (error) {
      throw maskFailure(`the check ${name} of the domain ${shown(on)} in ${shown(table)}`, error);
    }
  }
}

function shown(name: string): string {
  return name.replace(/^public\./, "");
}

/** Parents before children. */
const checksSql = `
  WITH RECURSIVE depths AS (
    SELECT oid, 0 AS depth FROM pg_class WHERE relkind IN ('r', 'p', 'f')
    UNION
    SELECT i.inhrelid, d.depth + 1 FROM pg_inherits i JOIN depths d ON d.oid = i.inhparent
  )
  SELECT CASE k.contypid WHEN 0 THEN k.conrelid::regclass::text ELSE k.contypid::regtype::text END AS on,
         k.contypid <> 0 AS "isDomain", k.conname AS name, pg_get_constraintdef(k.oid) AS definition,
         obj_description(k.oid, 'pg_constraint') AS comment, k.conislocal AS "isLocal"
  FROM pg_constraint k LEFT JOIN (SELECT oid, max(depth) AS depth FROM depths GROUP BY oid) d ON d.oid = k.conrelid
  WHERE k.contype = 'c' AND (${isOwnTable("k.conrelid")} OR ${isOfData("pg_type", "k.contypid")})
  ORDER BY d.depth, k.conrelid, k.contypid, k.conname`;

/** What can be dropped now: no parent has it. */
const topmostSql = `
  SELECT k.conrelid::regclass::text AS on, string_agg('DROP CONSTRAINT ' || quote_ident(k.conname), ', ') AS actions
  FROM pg_constraint k WHERE k.contype = 'c' AND k.coninhcount = 0 AND ${isOwnTable("k.conrelid")}
  GROUP BY k.conrelid`;

/** Columns with values of a domain, by tables with rows of their own. */
const containersSql = `
  WITH RECURSIVE containers AS (
    SELECT $1::regtype::oid AS oid
    UNION
    SELECT t.oid FROM containers c, pg_type t
    WHERE t.typelem = c.oid OR t.typbasetype = c.oid
      OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.atttypid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
      OR EXISTS (SELECT FROM pg_range r WHERE c.oid = r.rngsubtype AND t.oid IN (r.rngtypid, r.rngmultitypid))
  )
  SELECT a.attrelid::regclass::text AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid IN (SELECT oid FROM containers)`;
