import type { Client } from "pg";

/**
 * Removes what is left of the former values outside of the tables that were written anew: rows that were changed or
 * deleted, columns that were dropped, samples in the statistics, large objects. The caller makes statistics again.
 * @param rewritten the tables that were written anew
 */
export async function removeRemnants(
  client: Client,
  rewritten: readonly number[],
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(staleSql, [rewritten]);
  for (const { name } of rows) await client.query(`VACUUM (FULL) ${name}`);
  await deleteStatistics(client);
  await client.query("VACUUM (FULL) pg_catalog.pg_largeobject");
  return rows.map(({ name }) => name);
}

/** Removes what ANALYZE, also that of autovacuum, has kept of values. */
export async function deleteStatistics(client: Client): Promise<void> {
  // Of PostgreSQL's own tables one holds data: that of the large objects.
  await client.query(
    "DELETE FROM pg_statistic WHERE starelid >= 16384 OR starelid = 'pg_largeobject'::regclass",
  );
  await client.query("DELETE FROM pg_statistic_ext_data");
  for (const catalogue of ["pg_statistic", "pg_statistic_ext_data"])
    await client.query(`VACUUM (FULL) pg_catalog.${catalogue}`);
}

/** Removes the large objects that columns refer to. Run before the references go. */
export async function unlinkLargeObjects(
  client: Client,
  target: string,
  column: string,
): Promise<number> {
  const { rows } = await client.query<{ gone: number }>(
    `SELECT count(lo_unlink(loid))::int AS gone FROM (
       SELECT DISTINCT ${column}::oid AS loid FROM ${target} WHERE ${column} IS NOT NULL) AS used
     WHERE EXISTS (SELECT FROM pg_largeobject_metadata WHERE oid = loid)`,
  );
  return rows[0]?.gone ?? 0;
}

/** Tables with dead rows, or with the values of columns that are gone. */
const staleSql = `
  SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.oid <> ALL ($1::oid[]) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid) + pg_stat_get_dead_tuples(c.oid) > 0
      OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attisdropped))
  ORDER BY c.oid`;
