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
    `SELECT s.database, s.name, s.value, coalesce(p.context IN ('superuser', 'superuser-backend'), false) AS "superuserOnly"
     FROM (SELECT d.datname AS database, pg_catalog.split_part(setting, '=', 1) AS name,
                  pg_catalog.substr(setting, pg_catalog.length(pg_catalog.split_part(setting, '=', 1)) + 2) AS value
           FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
           CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting
           WHERE s.setrole = 0 AND (d.datname = ANY ($1) OR s.setdatabase = 0 AND NOT $2)) AS s
     LEFT JOIN pg_catalog.pg_settings p ON pg_catalog.lower(p.name) = pg_catalog.lower(s.name)
     WHERE NOT pg_catalog.starts_with(s.name, 'stagecraft.') ORDER BY s.database, s.name`,
    [databases, isExternal],
  );
  return rows;
}

/** A managed database that nobody but superusers can connect to. */
export interface ClosedDatabase {
  readonly database: string;
  /** To follow its name. */
  readonly fault: string;
  /** The clause of ALTER DATABASE that opens it. */
  readonly clause: string;
}

/** Finds the databases that allow no connections; another limit is up to their owner. */
export async function findClosedDatabases(
  client: Client,
  databases: readonly string[],
): Promise<ClosedDatabase[]> {
  const { rows } = await client.query<{ database: string; allows: boolean; limit: number }>(
    `SELECT datname AS database, datallowconn AS allows, datconnlimit AS limit FROM pg_catalog.pg_database
     WHERE datname = ANY ($1) AND (NOT datallowconn OR datconnlimit = 0) ORDER BY datname`,
    [databases],
  );
  return rows.flatMap(({ database, allows, limit }) => [
    ...(allows
      ? []
      : [{ database, fault: "allows no connections", clause: "ALLOW_CONNECTIONS true" }]),
    ...(limit === 0
      ? [{ database, fault: "has a connection limit of 0", clause: "CONNECTION LIMIT -1" }]
      : []),
  ]);
}
