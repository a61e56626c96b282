import type { Client } from "pg";
import { databaseRoles, monitorRole } from "../../../model/roles/names";
import { isExternal } from "../../postgres/external-connection";
import { ownDatabase } from "../../postgres/own-database";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { allRights, renderChange, type RightsChange } from "../../../model/roles/rights";

/** Attempts when objects are dropped or changed concurrently; each attempt computes the changes again. */
const maxAttempts = 5;

/** SQLSTATEs of concurrent changes: no such table, schema, routine or object; catalogue row updated concurrently. */
const concurrencySqlstates = new Set(["42P01", "3F000", "42883", "42704", "XX000"]);

/** Grants and revokes until the roles of a database have exactly their rights. Returns the number of changes. */
export async function correctRights(client: Client, database: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const changes = await findRightsChanges(client, database);
    try {
      for (const change of changes) {
        for (const statement of renderChange(change, databaseRoles(database).owner))
          await client.query(statement);
      }
      return changes.length;
    } catch (error) {
      const { code } = error as { code?: string };
      if (attempt === maxAttempts || !concurrencySqlstates.has(code ?? "")) throw error;
    }
  }
}

/** Computes the changes of rights in a database; grants come before revokes, so that no role lacks a right in between. */
export async function findRightsChanges(client: Client, database: string): Promise<RightsChange[]> {
  const { application, readonly, owner } = databaseRoles(database);
  const grantees = { application, readonly, monitor: monitorRole };
  // With an empty search_path all names are schema-qualified.
  await client.query("SET search_path = ''");
  const { rows } = await client.query<RightsChange>(changesSql, [
    JSON.stringify(Object.entries(grantees).map(([part, role]) => ({ part, role }))),
    JSON.stringify(allRights),
    owner,
    isExternal,
  ]);
  return [...rows, ...(await findLargeObjectChanges(client, [application, owner], [readonly]))];
}

/**
 * The changes after which only `writers` may create large objects. By default PUBLIC may, so that every role that may
 * connect could fill the disk. Empty where this session is not a superuser, on an external server.
 */
async function findLargeObjectChanges(
  client: Client,
  writers: readonly string[],
  readers: readonly string[],
): Promise<RightsChange[]> {
  const { rows } = await client.query<RightsChange>(largeObjectChangesSql, [writers, readers]);
  return rows;
}

/** A system database, and a role that has rights in it that it should not have. */
export interface OpenDatabase {
  readonly name: string;
  /** `PUBLIC` or a role, as SQL. */
  readonly grantee: string;
}

/**
 * Revokes the rights of others in the databases `postgres` and `template1` and the agent's own one; only the superuser
 * uses them, and the monitoring role `postgres`. Returns one sentence per change.
 */
export async function closeSystemDatabases(client: Client): Promise<string[]> {
  const open = await openSystemDatabases(client);
  for (const { name, grantee } of open)
    await client.query(`REVOKE ALL ON DATABASE ${q(name)} FROM ${grantee} CASCADE`);
  await client.query(`GRANT CONNECT ON DATABASE postgres TO ${q(monitorRole)}`);
  return open.map(({ name, grantee }) => `${name}: no longer open to ${grantee}`);
}

/** The rights of others in system databases; those of PostgreSQL may be used by others on an external server. */
export async function openSystemDatabases(client: Client): Promise<OpenDatabase[]> {
  const { rows } = await client.query<OpenDatabase>(
    `SELECT DISTINCT d.datname AS name,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.format('%I', pg_catalog.pg_get_userbyid(a.grantee)) END AS grantee
     FROM pg_catalog.pg_database d
     CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
     WHERE d.datname = ANY ($1) AND a.grantee <> d.datdba
       AND NOT (d.datname = 'postgres' AND a.privilege_type = 'CONNECT' AND NOT a.is_grantable
                AND a.grantee = coalesce((SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2), 0) AND a.grantee <> 0)
     ORDER BY 1, 2`,
    [isExternal ? [ownDatabase] : ["postgres", "template1", ownDatabase], monitorRole],
  );
  return rows;
}

/**
 * Compares all privileges of Stagecraft's roles and of PUBLIC with the desired ones ($2), in one query for thousands of
 * objects. Objects of extensions and of PostgreSQL are left unchanged. Of routines, only those are compared that PUBLIC
 * may not execute, or that may write with their owner's rights, which the read-only role must not execute. Roles that Stagecraft
 * did not create have no privilege on the database itself, except on an external server ($4); those on objects stay.
 */
const changesSql = `
  WITH grantees AS MATERIALIZED (
    SELECT r.oid, format('%I', r.rolname) AS name, g.part
    FROM pg_catalog.jsonb_to_recordset($1) AS g(part text, role text) JOIN pg_catalog.pg_roles r ON r.rolname = g.role
    UNION ALL SELECT 0::oid, 'PUBLIC', 'PUBLIC'
    UNION ALL
    SELECT r.oid, format('%I', r.rolname), 'other' FROM pg_catalog.pg_roles r
    WHERE pg_catalog.shobj_description(r.oid, 'pg_authid') IN ('stagecraft: person', 'stagecraft: group')
  ), others AS MATERIALIZED (
    SELECT r.oid FROM pg_catalog.pg_roles r
    WHERE NOT $4::boolean AND NOT r.rolsuper AND NOT EXISTS (SELECT FROM grantees g WHERE g.oid = r.oid)
      AND r.rolname !~ '^stagecraft_(session_|restore$)'
  ), desired AS MATERIALIZED (
    SELECT w.class, g.oid AS grantee, w.privilege, w.required
    FROM pg_catalog.jsonb_to_recordset($2) AS w(class text, grantee text, privilege text, required boolean)
    JOIN grantees g ON g.part = w.grantee
  ), members AS MATERIALIZED (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
  ), schemas AS MATERIALIZED (
    SELECT n.* FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  ), relations AS MATERIALIZED (
    SELECT c.*, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS class,
           format('%I.%I', n.nspname, c.relname) AS full_name
    FROM pg_catalog.pg_class c JOIN schemas n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_catalog.pg_class'::regclass AND m.objid = c.oid)
  ), objects AS MATERIALIZED (
    SELECT 'DATABASE' AS class, format('%I', datname) AS name, datdba AS owner,
           coalesce(datacl, acldefault('d', datdba)) AS acl, true AS whole
    FROM pg_catalog.pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'SCHEMA', format('%I', n.nspname), n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)), true
    FROM schemas n
    WHERE NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_catalog.pg_namespace'::regclass AND m.objid = n.oid)
    UNION ALL
    SELECT class, full_name, relowner,
           coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)), true
    FROM relations
    UNION ALL
    SELECT r.class, r.full_name, r.relowner, a.attacl, false
    FROM relations r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner, p.acl, true
    FROM (SELECT oid, proowner, pronamespace, prosecdef, provolatile, coalesce(proacl, acldefault('f', proowner)) AS acl
          FROM pg_catalog.pg_proc) p JOIN schemas n ON n.oid = p.pronamespace
    WHERE (p.prosecdef AND p.provolatile = 'v' OR NOT EXISTS (SELECT FROM aclexplode(p.acl) WHERE grantee = 0))
      AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_catalog.pg_proc'::regclass AND m.objid = p.oid)
    UNION ALL
    SELECT 'LARGE OBJECT', oid::text, lomowner, coalesce(lomacl, acldefault('L', lomowner)), true
    FROM pg_catalog.pg_largeobject_metadata
    UNION ALL
    SELECT k.class, '', o.oid, coalesce(d.defaclacl, acldefault(k.of_default, o.oid)), true
    FROM (VALUES ('default SCHEMAS', 'n'::"char", 'n'::"char"), ('default TABLES', 'r', 'r'),
                 ('default SEQUENCES', 'S', 's'), ('default ROUTINES', 'f', 'f')) AS k(class, type, of_default)
    CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $3) o
    LEFT JOIN pg_catalog.pg_default_acl d
      ON d.defaclrole = o.oid AND d.defaclnamespace = 0 AND d.defaclobjtype = k.type
    UNION ALL
    SELECT CASE d.defaclobjtype WHEN 'r' THEN 'default TABLES' WHEN 'S' THEN 'default SEQUENCES' ELSE 'default ROUTINES' END,
           format('IN SCHEMA %I', n.nspname), d.defaclrole, d.defaclacl, false
    FROM pg_catalog.pg_default_acl d JOIN schemas n ON n.oid = d.defaclnamespace
    WHERE d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $3) AND d.defaclobjtype IN ('r', 'S', 'f')
  ), found AS MATERIALIZED (
    SELECT o.class, o.name, o.owner, o.whole, a.grantor, a.grantee, a.privilege_type AS privilege, a.is_grantable
    FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) a
    WHERE a.grantee <> o.owner AND (a.grantee IN (SELECT oid FROM grantees)
      OR o.class = 'DATABASE' AND a.grantee IN (SELECT oid FROM others))
  ), changes AS (
    SELECT 1 AS step, 'GRANT' AS verb, o.class, o.name, w.grantee, w.privilege
    FROM objects o JOIN desired w ON w.class = o.class AND w.required AND w.grantee <> o.owner
    WHERE o.whole AND NOT EXISTS (
      SELECT FROM found f WHERE f.class = o.class AND f.name = o.name AND f.whole AND f.grantee = w.grantee
        AND f.privilege = w.privilege AND f.grantor = o.owner)
    UNION
    SELECT 2, 'REVOKE GRANT OPTION FOR', class, name, grantor, privilege FROM found WHERE grantor <> owner
    UNION
    SELECT 3, 'REVOKE GRANT OPTION FOR', class, name, grantee, privilege FROM found WHERE grantor = owner AND is_grantable
    UNION
    SELECT 4, 'REVOKE', f.class, f.name, f.grantee, f.privilege FROM found f
    WHERE f.grantor = f.owner AND NOT EXISTS (
      SELECT FROM desired w WHERE w.class = f.class AND w.grantee = f.grantee AND w.privilege = f.privilege)
  ), by_object AS (
    SELECT step, verb, class, name, grantee, string_agg(privilege, ', ' ORDER BY privilege) AS privileges
    FROM changes GROUP BY step, verb, class, name, grantee
  )
  SELECT verb, class, privileges, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(grantee)) END AS grantee,
         array_agg(name ORDER BY name) AS names
  FROM by_object GROUP BY step, verb, class, privileges, by_object.grantee ORDER BY step, class, privileges, 4`;

/** Functions that create large objects and are open to PUBLIC; `lo_import` is not. Writing one needs a privilege on it. */
const largeObjectChangesSql = `
  WITH functions AS MATERIALIZED (
    SELECT f.name, p.proowner, coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)) AS acl
    FROM (VALUES ('pg_catalog.lo_creat(integer)'), ('pg_catalog.lo_create(oid)'),
                 ('pg_catalog.lo_from_bytea(oid, bytea)')) AS f(name)
    JOIN pg_catalog.pg_proc p ON p.oid = f.name::pg_catalog.regprocedure
    WHERE pg_catalog.pg_has_role(p.proowner, 'USAGE')
  ), found AS MATERIALIZED (
    SELECT f.name, a.grantee FROM functions f CROSS JOIN LATERAL pg_catalog.aclexplode(f.acl) a
  ), changes AS (
    SELECT 1 AS step, 'GRANT' AS verb, f.name, pg_catalog.format('%I', r.rolname) AS grantee
    FROM functions f JOIN pg_catalog.pg_roles r ON r.rolname = ANY ($1)
    WHERE NOT EXISTS (SELECT FROM found o WHERE o.name = f.name AND o.grantee = r.oid)
    UNION ALL
    SELECT 2, 'REVOKE', o.name, CASE o.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.format('%I', r.rolname) END
    FROM found o LEFT JOIN pg_catalog.pg_roles r ON r.oid = o.grantee
    WHERE o.grantee = 0 OR r.rolname = ANY ($2)
  )
  SELECT verb, 'ROUTINE' AS class, 'EXECUTE' AS privileges, grantee,
         pg_catalog.array_agg(name ORDER BY name) AS names
  FROM changes GROUP BY step, verb, grantee ORDER BY step, grantee`;
