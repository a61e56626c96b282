import type { Client } from "pg";
import type { DatabaseSetting } from "../../../model/roles/database-settings";
import { isExternal } from "../../postgres/external-connection";

/**
 * Finds the parameters set for databases, without Stagecraft's stamps, and those set for all roles. On an external server
 * others may set parameters for all roles.
 */
export async function findDatabaseSettings(
  client: Client,
  databases: readonly string[],
): Promise<DatabaseSetting[]> {
  const { rows } = await client.query<DatabaseSetting>(
    `SELECT s.database, s.name, coalesce(p.context IN ('superuser', 'superuser-backend'), false) AS "superuserOnly"
     FROM (SELECT d.datname AS database, pg_catalog.split_part(setting, '=', 1) AS name
           FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
           CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting
           WHERE s.setrole = 0 AND (d.datname = ANY ($1) OR s.setdatabase = 0 AND NOT $2)) AS s
     LEFT JOIN pg_catalog.pg_settings p ON pg_catalog.lower(p.name) = pg_catalog.lower(s.name)
     WHERE NOT pg_catalog.starts_with(s.name, 'stagecraft.') ORDER BY s.database, s.name`,
    [databases, isExternal],
  );
  return rows;
}
