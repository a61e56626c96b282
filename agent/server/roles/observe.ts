import type { Client } from "pg";
import { isPreviousVersionName } from "../../../model/base/names";
import { databaseRoleNames, monitorRole, superuser } from "../../../model/roles/names";
import type { RolesObservation } from "../../../model/roles/protocol";
import { isLogin, readRoleComment, visibleFaults } from "../../../model/roles/role";
import { listDatabases } from "../../postgres/databases";
import { withConnection } from "../../postgres/connect";
import { findRoles, superuserWithPassword } from "./find-roles";
import { systemDatabasesOpenToPublic, findRightsChanges } from "./rights";

/** Observes the drift of roles and rights on this server; read-only. The connection must be to `postgres`. */
export async function observeRoles(client: Client): Promise<RolesObservation> {
  const databases = (await listDatabases(client))
    .filter(({ stamp, name }) => stamp !== null && !isPreviousVersionName(name))
    .map(({ name }) => name);
  const found = await findRoles(client, []);
  const marked = [...found.values()].flatMap((role) => {
    const mark = readRoleComment(role.comment);
    return mark === undefined ? [] : [{ role, mark }];
  });
  const expected = databases.flatMap(databaseRoleNames);
  if (expected.length > 0) expected.push(monitorRole);
  const rights = await systemDatabasesOpenToPublic(client);
  for (const database of databases) if (await rightsDiffer(database)) rights.push(database);
  const faults = marked.map(({ role, mark }) => ({
    role: role.name,
    faults: visibleFaults(role, mark),
  }));
  const withPassword = await superuserWithPassword(client);
  if (withPassword !== undefined) faults.push({ role: withPassword, faults: ["has a password"] });
  return {
    faults: faults.filter(({ faults }) => faults.length > 0),
    missing: expected.filter((name) => !found.has(name)),
    superusers: await otherSuperusers(client, [
      superuser,
      ...marked.map(({ role }) => role.name),
    ]),
    rights,
    logins: marked
      .filter(({ role, mark }) => role.login && isLogin(mark))
      .map(({ role }) => role.name),
  };
}

async function rightsDiffer(database: string): Promise<boolean> {
  try {
    const changes = await withConnection(database, async (client) =>
      findRightsChanges(client, database),
    );
    return changes.length > 0;
  } catch {
    // The database is being replaced, and the new one gets its rights.
    return false;
  }
}

async function otherSuperusers(client: Client, known: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ rolname: string }>(
    // The bootstrap superuser (oid 10) is always one.
    "SELECT rolname FROM pg_roles WHERE rolsuper AND oid <> 10 AND rolname NOT IN (SELECT current_user UNION SELECT unnest($1::text[])) ORDER BY rolname",
    [known],
  );
  return rows.map(({ rolname }) => rolname);
}
