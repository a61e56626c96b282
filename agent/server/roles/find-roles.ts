import type { Client } from "pg";
import { isTemporaryRole } from "../../../model/roles/names";
import { roleComment, roleMarks } from "../../../model/roles/mark";
import type { FoundRole } from "../../../model/roles/role";

/** Finds the roles with these names, and all roles with Stagecraft's comment. */
export async function findRoles(
  client: Client,
  names: readonly string[],
): Promise<ReadonlyMap<string, FoundRole>> {
  const { rows } = await client.query<FoundRole>(rolesSql, [names, roleMarks.map(roleComment)]);
  return new Map(
    rows.map((role) => [
      role.name,
      { ...role, members: role.members.filter(({ member }) => !isTemporaryRole(member)) },
    ]),
  );
}

const rolesSql = `
  WITH comments AS MATERIALIZED (
    SELECT oid, pg_catalog.shobj_description(oid, 'pg_authid') AS comment FROM pg_catalog.pg_authid
  ), grants AS MATERIALIZED (
    SELECT a.grantee, p.parname FROM pg_catalog.pg_parameter_acl p CROSS JOIN LATERAL pg_catalog.aclexplode(p.paracl) a
  )
  SELECT r.rolname AS name, c.comment, r.rolsuper AS superuser,
         r.rolcreatedb AS "createDatabases", r.rolcreaterole AS "createRoles", r.rolreplication AS replication,
         r.rolbypassrls AS "bypassRowSecurity", r.rolinherit AS inherit, r.rolcanlogin AS login,
         r.rolconnlimit AS "connectionLimit", coalesce(r.rolvaliduntil <> 'infinity', false) AS expires,
         r.rolpassword AS verifier,
         pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(r.rolpassword, 'UTF8')), 'hex') AS password,
         s.setconfig AS settings,
         coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('database', d.datname, 'settings', t.setconfig) ORDER BY d.datname)
                   FROM pg_catalog.pg_db_role_setting t JOIN pg_catalog.pg_database d ON d.oid = t.setdatabase
                   WHERE t.setrole = r.oid), '[]') AS "databaseSettings",
         ARRAY(SELECT DISTINCT g.parname FROM grants g WHERE g.grantee = r.oid ORDER BY 1) AS parameters,
         coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('of', pg_catalog.pg_get_userbyid(m.roleid), 'inherit', m.inherit_option,
                     'set', m.set_option, 'admin', m.admin_option, 'grantor', pg_catalog.pg_get_userbyid(m.grantor),
                     'bySuperuser', m.grantor = 10, 'ofComment', o.comment) ORDER BY pg_catalog.pg_get_userbyid(m.roleid))
                   FROM pg_catalog.pg_auth_members m JOIN comments o ON o.oid = m.roleid WHERE m.member = r.oid), '[]') AS memberships,
         coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('member', w.rolname, 'grantor', pg_catalog.pg_get_userbyid(m.grantor))
                     ORDER BY w.rolname)
                   FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_authid w ON w.oid = m.member JOIN comments o ON o.oid = m.member
                   WHERE m.roleid = r.oid AND NOT w.rolsuper AND NOT coalesce(o.comment = ANY ($2), false)), '[]') AS members
  FROM pg_catalog.pg_authid r JOIN comments c ON c.oid = r.oid
  LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
  WHERE r.rolname = ANY ($1) OR c.comment = ANY ($2)
  ORDER BY r.rolname`;
