import type { Client } from "pg";
import { isTemporaryRole } from "../../../model/roles/names";
import { strangerOf, type FoundStranger, type Stranger } from "../../../model/roles/stranger";
import { isExternal } from "../../postgres/external-connection";

/**
 * Finds the roles without Stagecraft's comment that can do more than they should; superusers are not among them.
 *
 * @param known Names of Stagecraft's roles.
 * @param own Superusers whose members `up` removes, so that the memberships are reported with them.
 * @param owners Number of objects of each role, by managed database.
 */
export async function findStrangers(
  client: Client,
  known: readonly string[],
  own: readonly string[],
  owners: ReadonlyMap<string, ReadonlyMap<string, number>>,
): Promise<Stranger[]> {
  const { rows } = await client.query<FoundStranger>(
    `SELECT r.rolname AS role, r.rolcanlogin AS login, r.rolcreaterole AS "createRoles", r.rolcreatedb AS "createDatabases",
            r.rolreplication AS replication, r.rolbypassrls AS "bypassRowSecurity",
            coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('of', o.rolname, 'grantor', pg_catalog.pg_get_userbyid(m.grantor))
                        ORDER BY o.rolname)
                      FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles o ON o.oid = m.roleid
                      WHERE m.member = r.oid AND (o.rolsuper OR o.rolname ~ '^pg_') AND o.rolname <> ALL ($2)), '[]') AS memberships,
            ARRAY(SELECT DISTINCT p.parname FROM pg_catalog.pg_parameter_acl p CROSS JOIN LATERAL pg_catalog.aclexplode(p.paracl) a
                  WHERE a.grantee = r.oid ORDER BY 1) AS parameters
     FROM pg_catalog.pg_roles r
     WHERE NOT r.rolsuper AND r.rolname !~ '^pg_' AND r.rolname <> ALL ($1) ORDER BY r.rolname`,
    [known, own],
  );
  return rows
    .filter(({ role }) => !isTemporaryRole(role))
    .flatMap((found) => {
      const owned = [...owners].flatMap(([database, counts]) => {
        const count = counts.get(found.role);
        return count === undefined ? [] : [[database, count] as const];
      });
      const stranger = strangerOf(found, Object.fromEntries(owned), isExternal);
      return stranger ? [stranger] : [];
    });
}
