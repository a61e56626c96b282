import type { Client } from "pg";
import { databaseRoles } from "../../../model/roles/names";
import { isSettingDrift, resetStatement } from "../../../model/roles/database-settings";
import { desiredRoles } from "../../../model/roles/desired-roles";
import type { RolesRequest, RolesResult } from "../../../model/roles/protocol";
import { plural } from "../../../model/base/units";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError } from "../../system/errors";
import { waitForPostgres, withConnection } from "../../postgres/connect";
import { withOwnDatabase } from "../../postgres/own-database";
import { logLine } from "../../system/progress";
import { findClosedDatabases, findDatabaseSettings } from "./database-settings";
import { ensureRoles } from "./ensure";
import { reassignLargeObjects, reassignExtensionRoutines, reassignToOwner } from "./ownership";
import { closeSystemDatabases, correctRights } from "./rights";

/** Creates the roles of a server, and corrects existing ones, their passwords and their rights. */
export async function applyRoles(request: RolesRequest): Promise<RolesResult> {
  await waitForPostgres(60);
  return withOwnDatabase(async (client) => {
    const result = await ensureRoles(client, desiredRoles(request));
    const names = request.databases.map(({ name }) => name);
    result.changed.push(
      ...(await closeSystemDatabases(client)),
      ...(await resetSettings(client, names)),
      ...(await openDatabases(client, names)),
    );
    for (const { name } of request.databases) {
      if (await exists(client, name)) result.changed.push(...(await correctDatabase(client, name)));
    }
    for (const line of result.changed) logLine(line);
    return result;
  });
}

/** Resets parameters that were set for a database or for all roles. Returns a sentence for each. */
async function resetSettings(client: Client, databases: readonly string[]): Promise<string[]> {
  const drift = (await findDatabaseSettings(client, databases)).filter(isSettingDrift);
  for (const setting of drift) await client.query(resetStatement(setting));
  return drift.map((setting) => `${setting.database ?? "ALL"}: now RESET ${setting.name}`);
}

/** Lets roles connect to databases that allow no connections. Returns a sentence for each. */
async function openDatabases(client: Client, databases: readonly string[]): Promise<string[]> {
  const closed = await findClosedDatabases(client, databases);
  for (const { database, clause } of closed)
    await client.query(`ALTER DATABASE ${q(database)} ${clause}`);
  return closed.map(({ database, fault, clause }) => `${database}: ${fault}; now ${clause}`);
}

async function exists(client: Client, database: string): Promise<boolean> {
  const { rowCount } = await client.query(
    "SELECT FROM pg_database WHERE datname = $1 AND datallowconn",
    [database],
  );
  return rowCount !== 0;
}

/** Corrects the owner and the rights of a database. Returns a sentence for each correction. */
async function correctDatabase(admin: Client, database: string): Promise<string[]> {
  const { owner } = databaseRoles(database);
  const { rowCount: wrongOwner } = await admin.query(
    "SELECT FROM pg_database WHERE datname = $1 AND datdba <> $2::regrole",
    [database, q(owner)],
  );
  if (wrongOwner !== 0) await admin.query(`ALTER DATABASE ${q(database)} OWNER TO ${q(owner)}`);
  const changes = await withConnection(database, async (client) => {
    await correctOwnership(client, database);
    return correctRights(client, database);
  });
  return [
    ...(wrongOwner === 0 ? [] : [`${database}: now belongs to ${owner}`]),
    ...(changes === 0 ? [] : [`${database}: ${plural(changes, "change")} of rights`]),
  ];
}

async function correctOwnership(client: Client, database: string): Promise<void> {
  // A session that waits for a lock blocks all later requests for it.
  await client.query("SET lock_timeout = '5s'");
  try {
    await reassignToOwner(client, database);
    await reassignLargeObjects(client, databaseRoles(database).owner, database);
    await reassignExtensionRoutines(client);
  } catch (error) {
    if ((error as { code?: string }).code !== "55P03") throw error;
    throw new AgentError(
      `${database} is in use: could not reassign the objects of its roles to ${databaseRoles(database).owner} within 5 s; run pulumi up again when there is less load`,
      { cause: error },
    );
  }
  await client.query("SET lock_timeout = 0");
}
