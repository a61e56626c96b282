import type { Client } from "pg";
import type { FoundRole } from "../../../model/roles/role";
import { isExternal } from "../../postgres/external-connection";

/** Finds the roles with these names, and all roles with Stagecraft's comment. */
export async function findRoles(
  client: Client,
  names: readonly string[],
): Promise<ReadonlyMap<string, FoundRole>> {
  const { rows } = await client.query<FoundRole>(
    `SELECT r.rolname AS name, shobj_description(r.oid, 'pg_authid') AS comment, r.rolsuper AS superuser,
            r.rolcreatedb AS "createDatabases", r.rolcreaterole AS "createRoles", r.rolreplication AS replication,
            r.rolbypassrls AS "bypassRowSecurity", r.rolinherit AS inherit, r.rolcanlogin AS login,
            r.rolconnlimit AS "connectionLimit", coalesce(r.rolvaliduntil <> 'infinity', false) AS expires,
            r.rolpassword AS verifier, s.setconfig AS settings,
            coalesce((SELECT json_agg(json_build_object('of', pg_get_userbyid(m.roleid), 'inherit', m.inherit_option,
                        'set', m.set_option, 'admin', m.admin_option, 'grantor', pg_get_userbyid(m.grantor),
                        'ofComment', shobj_description(m.roleid, 'pg_authid')) ORDER BY pg_get_userbyid(m.roleid))
                      FROM pg_auth_members m WHERE m.member = r.oid), '[]') AS memberships
     FROM pg_authid r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
     WHERE r.rolname = ANY($1) OR shobj_description(r.oid, 'pg_authid') LIKE 'stagecraft: %'
     ORDER BY r.rolname`,
    [names],
  );
  return new Map(rows.map((role) => [role.name, role]));
}

/**
 * Name of the bootstrap superuser if it has a password. Stagecraft creates it without one: the agent connects over the
 * socket and no one else needs a superuser. Not checked on an external server.
 */
export async function superuserWithPassword(client: Client): Promise<string | undefined> {
  if (isExternal) return undefined;
  const { rows } = await client.query<{ name: string }>(
    "SELECT rolname AS name FROM pg_authid WHERE oid = 10 AND rolpassword IS NOT NULL",
  );
  return rows[0]?.name;
}
