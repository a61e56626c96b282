import type { Client } from "pg";

/**
 * Disables the triggers and rules of a table, within the session's transaction, except those that check foreign keys, and
 * the policies that apply to its owner. Returns the statements that enable them again as before.
 */
export async function disableTriggers(client: Client, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ disable: string; enable: string }>(
    `WITH relations AS (
       SELECT $1::regclass AS oid UNION SELECT relid FROM pg_partition_tree($1::regclass)
     ), actors AS (
       SELECT tgrelid::regclass AS of, 'TRIGGER' AS what, tgname AS name, tgenabled AS enabled
       FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM relations) AND NOT tgisinternal AND tgparentid = 0
       UNION ALL
       SELECT ev_class::regclass, 'RULE', rulename, ev_enabled
       FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM relations) AND rulename <> '_RETURN'
     )
     SELECT format('ALTER TABLE %s DISABLE %s %I', of, what, name) AS disable,
            format('ALTER TABLE %s ENABLE%s %s %I', of,
                   CASE enabled WHEN 'A' THEN ' ALWAYS' WHEN 'R' THEN ' REPLICA' ELSE '' END, what, name) AS enable
     FROM actors WHERE enabled <> 'D'
     UNION ALL
     SELECT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', oid::regclass), format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', oid::regclass)
     FROM pg_class WHERE oid = $1::regclass AND relforcerowsecurity`,
    [table],
  );
  for (const { disable } of rows) await client.query(disable);
  return rows.map(({ enable }) => enable);
}
