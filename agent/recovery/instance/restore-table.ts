import type { Client } from "pg";
import { reservedBytes } from "../../../model/dump/disk-space";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { formatBytes } from "../../../model/base/units";
import { databaseRoles } from "../../../model/roles/names";
import type {
  RestoreTableRequest,
  RestoreTableResult,
} from "../../../model/point-in-time/protocol";
import { withConnection } from "../../postgres/connect";
import { freeDataBytes } from "../../postgres/free-space";
import { withOwnDatabase } from "../../postgres/own-database";
import { withRestrictedLogin } from "../../postgres/restricted-login";
import { waitForDatabaseLock } from "../../restore/database-lock";
import { correctRights } from "../../server/roles/rights";
import { AgentError } from "../../system/errors";
import { logLine } from "../../system/progress";
import { restoreKey } from "./inbound-keys";
import { connectToInstance, requireInstance } from "./instance";
import {
  findMissing,
  missingRelations,
  readDependents,
  type DependentObjects,
  type LostRelation,
} from "./lost-objects";
import { ensureInstanceRuns } from "./postmaster";
import { restoreObjects, restoreRights, withDump } from "./table-dump";

/**
 * Restores a dropped table in its place, from the recovery instance: rows, columns, defaults, sequences, keys, indexes,
 * triggers, policies and rights, with its partitions, and with the views and the foreign keys of other tables that DROP TABLE
 * … CASCADE took along. In one transaction, as the role that owned it; rights and foreign keys of others follow. Throws an
 * {@link AgentError} when the table exists or cannot be restored; then nothing was changed.
 */
export async function restoreTable(request: RestoreTableRequest): Promise<RestoreTableResult> {
  const started = performance.now();
  const { server, database, schema, table } = request;
  await requireInstance(server);
  await ensureInstanceRuns();
  const source = await readSource(request);
  return withOwnDatabase(async (lock) => {
    // A swap would put away the database that the table comes back to.
    await waitForDatabaseLock(lock, database);
    const lost = await withConnection(database, async (client) =>
      checkTarget(client, request, source),
    );
    const relations = lost.filter(({ isBlocked }) => !isBlocked);
    const owner = await ownerOf(database, source);
    const notes = await withDump(request, relations, async (file) => {
      logLine(`restore ${relations.map(({ name }) => name).join(", ")} …`);
      return withRestrictedLogin({ role: owner }, async (login) => {
        await restoreObjects(request, file, login);
        return restoreRights(database, file, login);
      });
    });
    for (const key of source.keys) notes.push(...(await restoreKey(database, key)));
    return withConnection(database, async (client) => {
      await giveToOwners(client, relations, owner);
      if (await isManaged(client, database)) await correctRights(client, database);
      const missing = await findMissing(client, source.all);
      const { rows } = await client.query<{ rows: string }>(
        `SELECT count(*) AS rows FROM ${q(schema)}.${q(table)}`,
      );
      return {
        schema,
        table,
        rows: Number(rows[0]?.rows ?? 0),
        restored: relations.map((one) => `${one.schema}.${one.name}`),
        notes: [
          ...notes,
          ...missing.map((text) => `${text} is still missing`),
          ...lost
            .filter(({ isBlocked }) => isBlocked)
            .map(
              (one) => `view ${one.schema}.${one.name} is still missing: it uses such a function`,
            ),
        ],
        seconds: Math.round(performance.now() - started) / 1000,
      };
    });
  });
}

async function readSource({
  database,
  schema,
  table,
}: RestoreTableRequest): Promise<DependentObjects> {
  const client = await connectToInstance(database);
  try {
    const found = await readDependents(client, schema, table);
    if (found) return found;
  } finally {
    await client.end();
  }
  throw new AgentError(
    `the recovery instance has no table ${schema}.${table} in ${database}; list its tables with: npx stagecraft pitr <stack> psql ${database} -- -c "\\dt *.*"`,
  );
}

/** The relations to restore; throws an {@link AgentError} when the table cannot be created. */
async function checkTarget(
  client: Client,
  { server, database, schema, table }: RestoreTableRequest,
  { relations }: DependentObjects,
): Promise<LostRelation[]> {
  const lost = await missingRelations(client, relations);
  if (lost[0]?.schema !== schema || lost[0].name !== table) {
    throw new AgentError(
      `${schema}.${table} exists in ${database} of ${server}, and only a dropped table is restored in its place; copy its rows beside it: npx stagecraft pitr ${server} copy-table ${schema}.${table}`,
    );
  }
  const schemas = [...new Set(lost.map((one) => one.schema))];
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) name WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = name)",
    [schemas],
  );
  if (rows.length > 0) {
    const [{ name } = { name: "" }] = rows;
    throw new AgentError(
      `database ${database} of ${server} has no schema ${name}; create it first: npx stagecraft psql ${server} -c 'CREATE SCHEMA ${q(name)}'`,
    );
  }
  const free = await freeDataBytes(client);
  // The rows are also written to the WAL.
  const needed = 2 * lost.reduce((sum, { bytes }) => sum + bytes, 0) + reservedBytes;
  if (free !== null && free < needed) {
    throw new AgentError(
      `the table needs ${formatBytes(needed)} on PostgreSQL's volume, but only ${formatBytes(free)} are free; free some space first`,
    );
  }
  return lost;
}

/** The role that the table is created as: its owner if that exists and is no superuser, else the database's. */
async function ownerOf(database: string, { relations }: DependentObjects): Promise<string> {
  const [{ owner: previous } = { owner: "" }] = relations;
  return withConnection(database, async (client) => {
    const { rows } = await client.query<{ owner: string }>(
      `SELECT rolname AS owner FROM pg_roles WHERE NOT rolsuper AND rolname IN
         ($1, (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()))
       ORDER BY rolname = $1 DESC LIMIT 1`,
      [previous],
    );
    const [found] = rows;
    if (found) return found.owner;
    throw new AgentError(
      `${database} and the table belong to a superuser, as which nothing is restored; give the database an owner first: ALTER DATABASE ${q(database)} OWNER TO …`,
    );
  });
}

/** Gives the views and partitions that others owned to these, unless they are superusers. */
async function giveToOwners(
  client: Client,
  relations: readonly LostRelation[],
  owner: string,
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT rolname AS name FROM pg_roles WHERE NOT rolsuper AND rolname = ANY ($1)",
    [relations.map((one) => one.owner)],
  );
  const roles = new Set(rows.map(({ name }) => name));
  for (const one of relations.filter((one) => one.owner !== owner && roles.has(one.owner)))
    await client.query(`ALTER TABLE ${q(one.schema)}.${q(one.name)} OWNER TO ${q(one.owner)}`);
}

/** Whether the database's owner is the role that Stagecraft gives it. */
async function isManaged(client: Client, database: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
     WHERE d.datname = $1 AND r.rolname = $2 AND shobj_description(r.oid, 'pg_authid') = 'stagecraft: owner'`,
    [database, databaseRoles(database).owner],
  );
  return rowCount === 1;
}
