import type { Client } from "pg";
import { maskFailure } from "./failure";

/** Refreshes the populated materialized views, in the order of their dependencies. Returns their names. */
export async function refreshMaterializedViews(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(orderSql);
  for (const { name } of rows) {
    try {
      await client.query(`REFRESH MATERIALIZED VIEW ${name}`);
    } catch (error) {
      throw maskFailure(
        `refreshing the materialized view ${name}`,
        error,
        "use masks for its source columns with which its query works",
      );
    }
  }
  return rows.map(({ name }) => name);
}

/** Sorts materialized views by their depth of dependencies, including plain views in between. */
const orderSql = `
  WITH RECURSIVE uses AS MATERIALIZED (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS of
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
    JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm')
  ), depths AS (
    SELECT oid AS view, 0 AS depth FROM pg_class WHERE relkind IN ('v', 'm')
    UNION
    SELECT u.view, d.depth + 1 FROM uses u JOIN depths d ON d.view = u.of
  )
  SELECT c.oid::regclass::text AS name FROM pg_class c JOIN depths d ON d.view = c.oid
  WHERE c.relkind = 'm' AND c.relispopulated GROUP BY c.oid ORDER BY max(d.depth), c.oid`;
