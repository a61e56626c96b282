import type { Client } from "pg";
import { quoteIdentifier as q } from "../../model/sql";
import { withConnection } from "../postgres";

/**
 * Owns everything while a dump is restored. A dump may hold what only a superuser can make (extensions, C functions,
 * event triggers); afterwards all of it goes to the database's owner. It cannot log in and lives as long as the restore.
 */
export const restoreRole = "stagecraft_restore";

/** Makes the role, or makes one that an interrupted restore left a superuser again. */
export async function makeRestoreRole(client: Client): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [restoreRole]);
  const verb = rowCount === 0 ? "CREATE" : "ALTER";
  await client.query(`${verb} ROLE ${q(restoreRole)} SUPERUSER NOLOGIN`);
}

/** Removes the role; should something still depend on it, it keeps no rights. */
export async function removeRestoreRole(client: Client): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [restoreRole]);
  if (rowCount === 0) return;
  await client.query(`ALTER ROLE ${q(restoreRole)} NOSUPERUSER`);
  await client.query(`DROP ROLE ${q(restoreRole)}`).catch(() => undefined);
}

/** Gives all that the restore made to `owner`, except what PostgreSQL allows only a superuser to own. */
export async function handOver(admin: Client, database: string, owner: string): Promise<void> {
  await withConnection(database, async (client) => {
    for (const { statement } of await superuserObjects(client)) await client.query(statement);
    await client.query(`REASSIGN OWNED BY ${q(restoreRole)} TO ${q(owner)}`);
  });
  await admin.query(`ALTER DATABASE ${q(database)} OWNER TO ${q(owner)}`);
}

async function superuserObjects(
  client: Client,
): Promise<readonly { readonly statement: string }[]> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('ALTER EVENT TRIGGER %I OWNER TO postgres', evtname) AS statement
       FROM pg_event_trigger WHERE evtowner = $1::regrole
     UNION ALL
     SELECT format('ALTER FOREIGN DATA WRAPPER %I OWNER TO postgres', fdwname)
       FROM pg_foreign_data_wrapper WHERE fdwowner = $1::regrole
     UNION ALL
     SELECT format('ALTER SUBSCRIPTION %I OWNER TO postgres', subname)
       FROM pg_subscription WHERE subowner = $1::regrole AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [restoreRole],
  );
  return rows;
}
