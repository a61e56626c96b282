import type { Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { databaseRoles } from "../../../model/roles/names";
import { withConnection } from "../../postgres/connect";
import { reassignLargeObjects } from "../../server/roles/ownership";
import { noServerLogging } from "../../postgres/no-server-logging";
import { advisoryLocks } from "../../postgres/advisory-locks";
import { restoreRole } from "../../server/roles/restore-role-name";

/**
 * Settings of a session that restores. What a dump says may hold passwords, and PostgreSQL's log is no place for them; nor
 * for values that are to be masked.
 */
export const restoreSession = (masked: boolean): Readonly<Record<string, string>> => ({
  role: restoreRole,
  synchronous_commit: "off",
  // What a restore asks is asked once.
  jit: "off",
  client_min_messages: "warning",
  log_min_error_statement: "panic",
  ...(masked ? noServerLogging : {}),
});

/** Advisory lock that all restores of a server share while they need the role. */
const usersLock = [...advisoryLocks.restoreRole];

/** Advisory lock of whoever makes the role. */
const creationLock = [...advisoryLocks.restoreRoleCreation];

/** Makes the role, or makes one that is there a superuser again; it stays until {@link releaseRestoreRole}. */
export async function createRestoreRole(client: Client): Promise<void> {
  await client.query("SELECT pg_advisory_lock_shared($1, $2)", usersLock);
  // Restores of several databases come here at the same time, and PostgreSQL lets but one of them write a role.
  await client.query("SELECT pg_advisory_lock($1, $2)", creationLock);
  try {
    const { rows } = await client.query<{ ready: boolean }>(
      `SELECT rolsuper AND NOT rolcanlogin AS ready FROM pg_roles WHERE rolname = '${restoreRole}'`,
    );
    const statement = rows[0] === undefined ? "CREATE" : "ALTER";
    if (rows[0]?.ready !== true)
      await client.query(`${statement} ROLE ${q(restoreRole)} SUPERUSER NOLOGIN`);
  } finally {
    // A lost session has lost its locks.
    await client.query("SELECT pg_advisory_unlock($1, $2)", creationLock).catch(() => undefined);
  }
}

/** Says that this session needs the role no more. */
export async function releaseRestoreRole(client: Client): Promise<void> {
  // A lost session has lost its locks.
  await client.query("SELECT pg_advisory_unlock_shared($1, $2)", usersLock).catch(() => undefined);
}

/** Removes the role unless another restore needs it; should something still depend on it, it keeps no rights. */
export async function removeRestoreRole(client: Client): Promise<void> {
  const { rows } = await client.query<{ unused: boolean }>(
    `SELECT pg_try_advisory_lock($1, $2) AS unused FROM pg_roles WHERE rolname = '${restoreRole}'`,
    usersLock,
  );
  if (rows[0]?.unused !== true) return;
  try {
    await client.query(`ALTER ROLE ${q(restoreRole)} NOSUPERUSER`);
    await client.query(`DROP ROLE ${q(restoreRole)}`).catch(() => undefined);
  } finally {
    await client.query("SELECT pg_advisory_unlock($1, $2)", usersLock);
  }
}

/** Gives all that the restore made in `copy` to the database's owner, except what PostgreSQL allows only a superuser to own, and large objects. */
export async function transferOwnership(
  admin: Client,
  copy: string,
  database: string,
): Promise<void> {
  const { owner } = databaseRoles(database);
  await withConnection(copy, async (client) => {
    for (const { statement } of await superuserObjects(client)) await client.query(statement);
    await reassignLargeObjects(client, restoreRole, database);
    await client.query(`REASSIGN OWNED BY ${q(restoreRole)} TO ${q(owner)}`);
  });
  await admin.query(`ALTER DATABASE ${q(copy)} OWNER TO ${q(owner)}`);
}

async function superuserObjects(
  client: Client,
): Promise<readonly { readonly statement: string }[]> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('ALTER EVENT TRIGGER %I OWNER TO CURRENT_USER', evtname) AS statement
       FROM pg_event_trigger WHERE evtowner = $1::regrole
     UNION ALL
     SELECT format('ALTER FOREIGN DATA WRAPPER %I OWNER TO CURRENT_USER', fdwname)
       FROM pg_foreign_data_wrapper WHERE fdwowner = $1::regrole
     UNION ALL
     SELECT format('ALTER SUBSCRIPTION %I OWNER TO CURRENT_USER', subname)
       FROM pg_subscription WHERE subowner = $1::regrole AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [restoreRole],
  );
  return rows;
}
