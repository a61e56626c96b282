import { DatabaseError, type Client } from "pg";
import type { DatabaseOptions } from "../../model/dump/archive";
import { parseLeftoverName } from "../../model/base/names";
import { stampSchema, type DatabaseFacts, type Stamp } from "../../model/restore/protocol";
import { quoteIdentifier as q, quoteLiteral } from "../../model/base/sql";
import { AgentError, messageOf } from "../system/errors";
import { databaseLock } from "./advisory-locks";
import { logLine } from "../system/progress";
import { tryLock, unlock } from "./locks";
import { releaseDatabase } from "./release-database";

/** All databases except `postgres` and templates, with their stamps. */
export async function listDatabases(client: Client): Promise<DatabaseFacts[]> {
  const { rows } = await client.query<
    Omit<DatabaseFacts, "stamp" | "bytes"> & { bytes: string; settings: string[] | null }
  >(`
    SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
           coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate) AS locale, pg_database_size(d.oid) AS bytes,
           (SELECT count(*)::int FROM pg_stat_activity a WHERE a.datid = d.oid) AS connections,
           s.setconfig AS settings
    FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid AND s.setrole = 0
    WHERE NOT d.datistemplate AND d.datname <> 'postgres'
    ORDER BY d.datname`);
  return rows.map(({ settings, bytes, ...facts }) => ({
    ...facts,
    bytes: Number(bytes),
    stamp: readStamp(settings),
  }));
}

/** Stores in a database which server and which backup it comes from, as database settings; a dump does not contain them. */
export async function stampDatabase(client: Client, database: string, stamp: Stamp): Promise<void> {
  const settings = {
    "stagecraft.server": stamp.server,
    "stagecraft.backup": stamp.source.backup ?? "",
    "stagecraft.stamp": JSON.stringify(stamp),
  };
  for (const [name, value] of Object.entries(settings)) {
    await client.query(`ALTER DATABASE ${q(database)} SET ${name} = ${quoteLiteral(value)}`);
  }
}

/** Creates an empty database that only a superuser and its owner can connect to. @param owner A role */
export async function createRestrictedDatabase(
  client: Client,
  name: string,
  { encoding, options }: DatabaseOptions,
  owner: string,
): Promise<void> {
  const all = [
    `OWNER = ${q(owner)}`,
    ...(encoding === undefined ? [] : [`ENCODING = ${quoteLiteral(encoding)}`]),
    ...options,
  ];
  try {
    await client.query(
      `CREATE DATABASE ${q(name)} TEMPLATE = template0 ALLOW_CONNECTIONS = false ${all.join(" ")}`,
    );
  } catch (error) {
    const message = messageOf(error);
    if (!/locale|collat/i.test(message)) throw error;
    throw new AgentError(
      `this server cannot create the database with the dump's locale: ${message}; set database.locale to one it has, e.g. "C.UTF-8", or "C" for other encodings`,
      { cause: error },
    );
  }
  // PUBLIC can connect to a new database; a session that did so would be connected while the contents are restored.
  await client.query(`REVOKE ALL ON DATABASE ${q(name)} FROM PUBLIC`);
  await client.query(`ALTER DATABASE ${q(name)} ALLOW_CONNECTIONS = true`);
}

/** Drops a database if it exists, with everything that keeps PostgreSQL from it: sessions, subscriptions, prepared transactions. */
export async function dropDatabase(client: Client, name: string): Promise<void> {
  await releaseDatabase(client, name);
  await client.query(`DROP DATABASE IF EXISTS ${q(name)} WITH (FORCE)`);
}

/** Names of all databases. */
export async function databaseNames(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database");
  return new Set(rows.map(({ datname }) => datname));
}

/**
 * Drops the databases that an interrupted restore left behind, unless the lock shows that one is in use. Returns their
 * names. One that cannot be dropped does not keep the others, nor a restore of another database.
 */
export async function dropLeftovers(client: Client): Promise<string[]> {
  const dropped: string[] = [];
  for (const datname of await databaseNames(client)) {
    const leftover = parseLeftoverName(datname);
    if (leftover === undefined || !(await tryLockDatabase(client, leftover.lock))) continue;
    try {
      await dropDatabase(client, datname);
      dropped.push(datname);
    } catch (error) {
      if (!(error instanceof DatabaseError) && !(error instanceof AgentError)) throw error;
      logLine(`cannot drop ${datname} yet: ${messageOf(error)}`);
    } finally {
      await unlockDatabase(client, leftover.lock);
    }
  }
  return dropped;
}

/** Tries to take the lock on a database, or on another object of that name; the session holds it. */
export async function tryLockDatabase(client: Client, database: string): Promise<boolean> {
  return tryLock(client, databaseLock(database));
}

/** Releases the lock before the session ends. */
export async function unlockDatabase(client: Client, database: string): Promise<void> {
  await unlock(client, databaseLock(database));
}

function readStamp(settings: readonly string[] | null): Stamp | null {
  const prefix = "stagecraft.stamp=";
  const text = settings?.find((setting) => setting.startsWith(prefix))?.slice(prefix.length);
  if (text === undefined) return null;
  try {
    return stampSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
