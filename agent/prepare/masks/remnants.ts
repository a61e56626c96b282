import type { Client } from "pg";

/**
 * Removes previous values that remain outside of the rewritten tables: updated and deleted rows, dropped columns, large
 * objects, samples in the statistics. Run ANALYZE afterwards.
 *
 * @param rewritten OIDs of the rewritten tables.
 */
export async function removeRemnants(client: Client, rewritten: readonly number[]): Promise<void> {
  await vacuumStale(client, rewritten);
  await deleteStatistics(client);
}

/** {@link removeRemnants} without the statistics. */
export async function vacuumStale(client: Client, rewritten: readonly number[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(staleSql, [rewritten]);
  for (const { name } of rows) await client.query(`VACUUM (FULL) ${name}`);
  await vacuumLargeObjects(client);
}

/** Removes the contents of deleted large objects from the files. */
export async function vacuumLargeObjects(client: Client): Promise<void> {
  await client.query("VACUUM (FULL) pg_catalog.pg_largeobject");
}

/** Deletes the statistics that ANALYZE or autovacuum collected, which contain values. */
export async function deleteStatistics(client: Client): Promise<void> {
  // pg_largeobject is the only system table with user data.
  await client.query(
    "DELETE FROM pg_statistic WHERE starelid >= 16384 OR starelid = 'pg_largeobject'::regclass",
  );
  await client.query("DELETE FROM pg_statistic_ext_data");
  for (const catalogue of ["pg_statistic", "pg_statistic_ext_data"])
    await client.query(`VACUUM (FULL) pg_catalog.${catalogue}`);
}

/**
 * Deletes the large objects that a column references. Call it before the references are removed. Returns their number.
 *
 * @param client A session of the owner, which reads the column.
 * @param admin A session of the superuser, which deletes.
 */
export async function unlinkLargeObjects(
  client: Client,
  admin: Client,
  target: string,
  column: string,
): Promise<number> {
  const { rows: used } = await client.query<{ ids: string[] }>(
    `SELECT coalesce(array_agg(DISTINCT ${column}::oid::text), '{}') AS ids FROM ${target} WHERE ${column} IS NOT NULL`,
  );
  const { rows } = await admin.query<{ deleted: number }>(
    `SELECT count(lo_unlink(oid))::int AS deleted FROM pg_largeobject_metadata WHERE oid = ANY ($1::oid[])`,
    [used[0]?.ids ?? []],
  );
  return rows[0]?.deleted ?? 0;
}

/** Tables with dead rows, or with values of dropped columns. */
const staleSql = `
  SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.oid <> ALL ($1::oid[]) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid) + pg_stat_get_dead_tuples(c.oid) > 0
      OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attisdropped))
  ORDER BY c.oid`;
