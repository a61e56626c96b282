import type { Client } from "pg";
import { databaseRoles } from "../../../model/roles/names";
import { quoteIdentifier as q } from "../../../model/base/sql";

/**
 * Makes the application role the owner of large objects, as of those that it creates itself: only the owner can delete
 * one. Commits every 1000 objects, because each takes a lock until the transaction ends.
 */
export async function reassignLargeObjects(
  client: Client,
  from: string,
  database: string,
): Promise<void> {
  await client.query(
    `SELECT set_config('stagecraft.from', $1, false), set_config('stagecraft.to', $2, false)`,
    [from, databaseRoles(database).application],
  );
  await client.query(`
    DO $$
    DECLARE large oid; given int := 0;
    BEGIN
      FOR large IN
        SELECT m.oid FROM pg_largeobject_metadata m JOIN pg_roles r ON r.oid = m.lomowner
        WHERE r.rolname = current_setting('stagecraft.from')
      LOOP
        EXECUTE format('ALTER LARGE OBJECT %s OWNER TO %I', large, current_setting('stagecraft.to'));
        given := given + 1;
        IF given % 1000 = 0 THEN COMMIT; END IF;
      END LOOP;
    END $$`);
}

/**
 * Makes the superuser the owner of the routines of extensions, as PostgreSQL does for trusted extensions: some of them,
 * e.g. dblink_connect_u, give superuser rights to every role that may execute them.
 */
export async function reassignExtensionRoutines(client: Client): Promise<void> {
  await client.query("SET search_path = ''");
  await client.query(`
    DO $$
    DECLARE routine text;
    BEGIN
      FOR routine IN
        SELECT p.oid::pg_catalog.regprocedure::text FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
        WHERE NOT (SELECT rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = p.proowner)
      LOOP
        EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO CURRENT_USER', routine);
      END LOOP;
    END $$`);
}

/**
 * Reassigns to the owner role what other roles of Stagecraft own in this database. Does
 * nothing when they own only temporary tables.
 */
export async function reassignToOwner(client: Client, database: string): Promise<void> {
  const { owner } = databaseRoles(database);
  const { rows } = await client.query<{ name: string }>(
    `SELECT r.rolname AS name FROM pg_roles r
     WHERE shobj_description(r.oid, 'pg_authid') LIKE 'stagecraft: %' AND r.rolname <> $1
       AND shobj_description(r.oid, 'pg_authid') <> 'stagecraft: owner'
       AND EXISTS (
         SELECT FROM pg_shdepend d LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
         WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.deptype = 'o'
           AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND d.classid <> 'pg_largeobject'::regclass AND c.relpersistence IS DISTINCT FROM 't')`,
    [owner],
  );
  if (rows.length === 0) return;
  await client.query(
    `REASSIGN OWNED BY ${rows.map(({ name }) => q(name)).join(", ")} TO ${q(owner)}`,
  );
}
