import type { Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { databaseRoles } from "../../../model/roles/names";
import { withConnection, type SessionSettings } from "../../postgres/connect";
import { RestrictedLogin } from "../../postgres/restricted-login";
import { reassignLargeObjects } from "../../server/roles/ownership";
import { noServerLogging } from "../../postgres/no-server-logging";

/** Parameters of a session that restores. */
export const restoreSession: SessionSettings = {
  synchronous_commit: "off",
  // Each statement runs once, so compiling it does not pay off.
  jit: "off",
  client_min_messages: "warning",
};

/**
 * Creates the role that restores a dump and owns the candidate database. It has no rights but those: whatever code the dump
 * contains runs with them. Statements of a dump may contain passwords, which must not get into PostgreSQL's log; with
 * `masked` no values get there either. The caller drops it.
 */
export async function createRestoreRole(masked: boolean): Promise<RestrictedLogin> {
  const settings = {
    log_min_error_statement: "panic",
    // Messages of a dump are in the import log; RAISE LOG in a loop would fill the server log, which no other level prevents.
    log_min_messages: "fatal",
    // Event triggers of the dump are for what happens after the restore.
    event_triggers: "off",
    ...(masked ? noServerLogging : {}),
  };
  // For dumps by pg_dump --disable-triggers.
  return RestrictedLogin.create({ settings, maySet: ["session_replication_role"] });
}

/** Reassigns the restored objects in `candidate`, and the database, from the restore role to the database's owner. */
export async function transferOwnership(
  admin: Client,
  candidate: string,
  database: string,
  restoreRole: string,
): Promise<void> {
  const { owner } = databaseRoles(database);
  await withConnection(candidate, async (client) => {
    await reassignLargeObjects(client, restoreRole, database);
    await client.query(`REASSIGN OWNED BY ${q(restoreRole)} TO ${q(owner)}`);
    // Its privileges, which PostgreSQL would keep the role for.
    await client.query(`DROP OWNED BY ${q(restoreRole)}`);
  });
  await admin.query(`ALTER DATABASE ${q(candidate)} OWNER TO ${q(owner)}`);
}
