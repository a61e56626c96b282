import type { Client } from "pg";
import { databaseRoles } from "../../../model/roles/names";
import { wantedRoles } from "../../../model/roles/plan";
import type { RolesRequest, RolesResult } from "../../../model/roles/protocol";
import { plural } from "../../../model/base/units";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError } from "../../system/errors";
import { waitForPostgres, withConnection } from "../../postgres/connect";
import { logLine } from "../../system/progress";
import { ensureRoles } from "./ensure";
import { giveLargeObjects, keepExtensionRoutines, takeOwnership } from "./ownership";
import { closeOwnDatabases, mendRights } from "./rights";

/** Makes the roles of a server, and puts right what differs about those that are there, their passwords and their rights. */
export async function roles(request: RolesRequest): Promise<RolesResult> {
  await waitForPostgres(60);
  return withConnection("postgres", async (client) => {
    const result = await ensureRoles(client, wantedRoles(request));
    result.changed.push(...(await closeOwnDatabases(client)));
    for (const { name } of request.databases) {
      if (await isThere(client, name)) result.changed.push(...(await mendDatabase(client, name)));
    }
    for (const line of result.changed) logLine(line);
    return result;
  });
}

async function isThere(client: Client, database: string): Promise<boolean> {
  const { rowCount } = await client.query(
    "SELECT FROM pg_database WHERE datname = $1 AND datallowconn",
    [database],
  );
  return rowCount !== 0;
}

/** Gives a live database its owner and its rights, if it has others. */
async function mendDatabase(admin: Client, database: string): Promise<string[]> {
  const { owner } = databaseRoles(database);
  const { rowCount: foreign } = await admin.query(
    "SELECT FROM pg_database WHERE datname = $1 AND datdba <> $2::regrole",
    [database, q(owner)],
  );
  if (foreign !== 0) await admin.query(`ALTER DATABASE ${q(database)} OWNER TO ${q(owner)}`);
  const changes = await withConnection(database, async (client) => {
    await takeLiveOwnership(client, database);
    return mendRights(client, database);
  });
  return [
    ...(foreign === 0 ? [] : [`${database}: now belongs to ${owner}`]),
    ...(changes === 0 ? [] : [`${database}: ${plural(changes, "change")} of rights`]),
  ];
}

async function takeLiveOwnership(client: Client, database: string): Promise<void> {
  // Whoever waits for a lock stops the others that come after it.
  await client.query("SET lock_timeout = '5s'");
  try {
    await takeOwnership(client, database);
    await giveLargeObjects(client, databaseRoles(database).owner, database);
    await keepExtensionRoutines(client);
  } catch (error) {
    if ((error as { code?: string }).code !== "55P03") throw error;
    throw new AgentError(
      `${database} is in use, so what its roles own could not be given to ${databaseRoles(database).owner} within 5 s; run pulumi up again at a quieter time`,
      { cause: error },
    );
  }
  await client.query("SET lock_timeout = 0");
}
