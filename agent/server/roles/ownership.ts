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

/** A role that owns objects in a database. */
export interface ObjectOwner {
  readonly role: string;
  /** Whether it is a role of Stagecraft whose objects should belong to the owner role. */
  readonly isOwn: boolean;
  /** Number of its objects, without large objects and temporary tables. */
  readonly count: number;
}

/** Finds the roles besides owner roles and superusers that own objects in this database. */
export async function objectOwners(client: Client, database: string): Promise<ObjectOwner[]> {
  const { owner } = databaseRoles(database);
  const { rows } = await client.query<ObjectOwner>(
    `SELECT r.rolname AS role, coalesce(pg_catalog.shobj_description(r.oid, 'pg_authid') LIKE 'stagecraft: %', false) AS "isOwn",
            pg_catalog.count(*)::int AS count
     FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
     LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid
     WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o'
       AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
       AND d.classid <> 'pg_catalog.pg_largeobject'::pg_catalog.regclass AND c.relpersistence IS DISTINCT FROM 't'
       AND r.rolname <> $1 AND pg_catalog.shobj_description(r.oid, 'pg_authid') IS DISTINCT FROM 'stagecraft: owner'
     GROUP BY r.oid, r.rolname ORDER BY r.rolname`,
    [owner],
  );
  return rows;
}

/**
 * Reassigns to the owner role what other roles of Stagecraft own in this database. Does
 * nothing when they own only temporary tables.
 */
export async function reassignToOwner(client: Client, database: string): Promise<void> {
  const { owner } = databaseRoles(database);
  const owners = (await objectOwners(client, database)).filter(({ isOwn }) => isOwn);
  if (owners.length === 0) return;
  await client.query(
    `REASSIGN OWNED BY ${owners.map(({ role }) => q(role)).join(", ")} TO ${q(owner)}`,
  );
}
