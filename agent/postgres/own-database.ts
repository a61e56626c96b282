import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { quoteIdentifier as q, quoteLiteral } from "../../model/base/sql";
import { AgentError } from "../system/errors";
import { connect, withConnection } from "./connect";

/**
 * The agent's own database, without any objects. Its sessions hold the agent's advisory locks: their keys count per
 * database (PostgreSQL manual, 13.3.5), and into this one only superusers may connect. It is a template, so that no
 * list of databases shows it and no backup contains it.
 */
export const ownDatabase = "stagecraft_agent";

/** Comment that distinguishes it from a database that somebody else created. */
const ownComment = "stagecraft: locks of the agent; contains no data";

/** Attempts when two calls of the agent create it at once. */
const maxAttempts = 20;
const retryMs = 100;

/** SQLSTATEs of a database that does not exist, or that does not accept connections yet. */
const missingSqlstates = ["3D000", "55000"];

/** SQLSTATEs of concurrent creation: duplicate database, unique violation, tuple concurrently updated. */
const concurrencySqlstates = ["42P04", "23505", "XX000"];

/** Runs `work` on a new connection to {@link ownDatabase}, where locks may be taken, and closes it. */
export async function withOwnDatabase<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectToOwnDatabase();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Connects to {@link ownDatabase}; creates it first if necessary, and closes it again to everybody who was let in. The
 * caller must end the connection. Throws an {@link AgentError} for a database of that name that Stagecraft did not create.
 */
export async function connectToOwnDatabase(): Promise<Client> {
  const client = await connectOrCreate();
  try {
    await close(client);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function connectOrCreate(): Promise<Client> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect(ownDatabase);
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (attempt === maxAttempts || !hasSqlstate(cause, missingSqlstates)) throw error;
    }
    try {
      await withConnection("postgres", create);
    } catch (error) {
      if (!hasSqlstate(error, concurrencySqlstates)) throw error;
      await sleep(retryMs);
    }
  }
}

/** Each statement may have been executed by a call that was killed, or is just being executed by another one. */
async function create(client: Client): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_catalog.pg_database WHERE datname = $1", [
    ownDatabase,
  ]);
  // Closed from the start, because PUBLIC may connect to a new database.
  if (rowCount === 0)
    await client.query(
      `CREATE DATABASE ${q(ownDatabase)} TEMPLATE template0 IS_TEMPLATE true ALLOW_CONNECTIONS false`,
    );
  await client.query(`COMMENT ON DATABASE ${q(ownDatabase)} IS ${quoteLiteral(ownComment)}`);
  await client.query(`REVOKE ALL ON DATABASE ${q(ownDatabase)} FROM PUBLIC`);
  await client.query(`ALTER DATABASE ${q(ownDatabase)} ALLOW_CONNECTIONS true`);
}

/** Revokes all privileges that somebody has granted in the agent's own database, and ends the sessions that used them. */
async function close(client: Client): Promise<void> {
  const { rows } = await client.query<{ isOwn: boolean; owned: boolean; grantees: string[] }>(
    `SELECT coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '') LIKE 'stagecraft: %' AS "isOwn",
            o.rolsuper AS owned,
            ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.format('%I', pg_catalog.pg_get_userbyid(a.grantee)) END
                  FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
                  WHERE a.grantee <> d.datdba) AS grantees
     FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
     WHERE d.datname = pg_catalog.current_database()`,
  );
  const [found] = rows;
  if (found?.isOwn !== true)
    throw new AgentError(
      `database ${ownDatabase} exists on this server and was not created by Stagecraft, which needs this name for its locks; rename it: ALTER DATABASE ${q(ownDatabase)} RENAME TO …`,
    );
  if (found.owned && found.grantees.length === 0) return;
  if (!found.owned) await client.query(`ALTER DATABASE ${q(ownDatabase)} OWNER TO CURRENT_USER`);
  for (const grantee of found.grantees)
    await client.query(`REVOKE ALL ON DATABASE ${q(ownDatabase)} FROM ${grantee} CASCADE`);
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
     JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
     WHERE a.datname = pg_catalog.current_database() AND NOT r.rolsuper`,
  );
}

function hasSqlstate(error: unknown, sqlstates: readonly string[]): boolean {
  const code = (error as { code?: string } | undefined)?.code;
  return code !== undefined && sqlstates.includes(code);
}
