import type { Client } from "pg";

/** Statements that let triggers and rules of a table work again. */
export type Resume = readonly string[];

/**
 * Keeps the triggers and rules of a table from working, within the transaction of the session; those that check foreign
 * keys go on. Returns what puts them back as they were.
 */
export async function disableTriggers(client: Client, table: string): Promise<Resume> {
  const { rows } = await client.query<{ pause: string; resume: string }>(
    `WITH relations AS (
       SELECT $1::regclass AS oid UNION SELECT relid FROM pg_partition_tree($1::regclass)
     ), actors AS (
       SELECT tgrelid::regclass AS of, 'TRIGGER' AS what, tgname AS name, tgenabled AS enabled
       FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM relations) AND NOT tgisinternal AND tgparentid = 0
       UNION ALL
       SELECT ev_class::regclass, 'RULE', rulename, ev_enabled
       FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM relations) AND rulename <> '_RETURN'
     )
     SELECT format('ALTER TABLE %s DISABLE %s %I', of, what, name) AS pause,
            format('ALTER TABLE %s ENABLE%s %s %I', of,
                   CASE enabled WHEN 'A' THEN ' ALWAYS' WHEN 'R' THEN ' REPLICA' ELSE '' END, what, name) AS resume
     FROM actors WHERE enabled <> 'D'`,
    [table],
  );
  for (const { pause } of rows) await client.query(pause);
  return rows.map(({ resume }) => resume);
}
