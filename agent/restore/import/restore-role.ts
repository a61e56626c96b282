import type { Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { databaseRoles } from "../../../model/roles/names";
import { withConnection } from "../../postgres/connect";
import { reassignLargeObjects } from "../../server/roles/ownership";
import { noServerLogging } from "../../postgres/no-server-logging";
import { advisoryLocks } from "../../postgres/advisory-locks";
import { restoreRole } from "../../server/roles/restore-role-name";

/**
 * Parameters of a session that restores. Statements of a dump may contain passwords, which must not get into
 * PostgreSQL's log; with `masked` no values get there either.
 */
export const restoreSession = (masked: boolean): Readonly<Record<string, string>> => ({
  role: restoreRole,
  synchronous_commit: "off",
  // Each statement runs once, so compiling it does not pay off.
  jit: "off",
  client_min_messages: "warning",
  log_min_error_statement: "panic",
  // Messages of a dump are in the import log; RAISE LOG in a loop would fill the server log, which no other level prevents.
  log_min_messages: "fatal",
  ...(masked ? noServerLogging : {}),
});

/** Advisory lock that all restores of a server share while they use the role. */
const usersLock = [...advisoryLocks.restoreRole];

/** Advisory lock held while the role is created. */
const creationLock = [...advisoryLocks.restoreRoleCreation];

/** Creates the restore role, or makes an existing one superuser again. It is not removed before {@link releaseRestoreRole}. */
export async function createRestoreRole(client: Client): Promise<void> {
  await client.query("SELECT pg_advisory_lock_shared($1, $2)", usersLock);
  // PostgreSQL fails concurrent changes of a role ("tuple concurrently updated").
  await client.query("SELECT pg_advisory_lock($1, $2)", creationLock);
  try {
    const { rows } = await client.query<{ ready: boolean }>(
      `SELECT rolsuper AND NOT rolcanlogin AS ready FROM pg_roles WHERE rolname = '${restoreRole}'`,
    );
    const statement = rows[0] === undefined ? "CREATE" : "ALTER";
    if (rows[0]?.ready !== true)
      await client.query(`${statement} ROLE ${q(restoreRole)} SUPERUSER NOLOGIN`);
  } finally {
    // PostgreSQL has released the locks of a lost session.
    await client.query("SELECT pg_advisory_unlock($1, $2)", creationLock).catch(() => undefined);
  }
}

/** Releases this session's use of the restore role. */
export async function releaseRestoreRole(client: Client): Promise<void> {
  // PostgreSQL has released the locks of a lost session.
  await client.query("SELECT pg_advisory_unlock_shared($1, $2)", usersLock).catch(() => undefined);
}

/** Drops the restore role unless another restore uses it; if objects depend on it, it only loses SUPERUSER. */
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

/** Reassigns the restored objects in `candidate` to the database's owner. Objects that only a superuser may own stay with one. */
export async function transferOwnership(
  admin: Client,
  candidate: string,
  database: string,
): Promise<void> {
  const { owner } = databaseRoles(database);
  await withConnection(candidate, async (client) => {
    for (const { statement } of await superuserObjects(client)) await client.query(statement);
    await reassignLargeObjects(client, restoreRole, database);
    await client.query(`REASSIGN OWNED BY ${q(restoreRole)} TO ${q(owner)}`);
  });
  await admin.query(`ALTER DATABASE ${q(candidate)} OWNER TO ${q(owner)}`);
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
