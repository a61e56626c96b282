import type { Client } from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import type { DatabaseOptions } from "../../model/dump/archive";
import { parseLeftoverName } from "../../model/base/names";
import { stampSchema, type DatabaseFacts, type Stamp } from "../../model/restore/protocol";
import { bringBackPlan, swapPlan, type Renaming } from "../../model/restore/versions";
import { quoteIdentifier as q, quoteLiteral } from "../../model/base/sql";
import { AgentError, messageOf } from "../system/errors";
import { connect } from "./connect";
import { logLine } from "../system/progress";
import { advisoryLocks } from "./advisory-locks";

/** All databases but PostgreSQL's own, with their stamps. */
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

/** Says which server and contents a database belongs to; a dump does not carry it. */
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

/** Makes an empty database that nobody else may connect to yet. */
export async function createRestrictedDatabase(
  client: Client,
  name: string,
  { encoding, options }: DatabaseOptions,
): Promise<void> {
  const all = [
    ...(encoding === undefined ? [] : [`ENCODING = ${quoteLiteral(encoding)}`]),
    ...options,
  ];
  try {
    await client.query(
      `CREATE DATABASE ${q(name)} TEMPLATE = template0 ALLOW_CONNECTIONS = false ${all.join(" ")}`,
    );
  } catch (error) {
    const said = messageOf(error);
    if (!/locale|collat/i.test(said)) throw error;
    throw new AgentError(
      `this server cannot make the database with the dump's locale: ${said}; set database.locale to one it has, e.g. "C.UTF-8", or "C" for other encodings`,
      { cause: error },
    );
  }
  // Everybody may connect to a new database. Whoever did so now would be there when the contents come.
  await client.query(`REVOKE ALL ON DATABASE ${q(name)} FROM PUBLIC`);
  await client.query(`ALTER DATABASE ${q(name)} ALLOW_CONNECTIONS = true`);
}

/** Drops a database together with the sessions in it, if it is there. */
export async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${q(name)} WITH (FORCE)`);
}

/**
 * Lets `__incoming` take the database's name, in one transaction; the former contents become `__previous`, and no more
 * than `keep` such copies stay. Returns for how many seconds the name answered nobody.
 */
export async function swapDatabases(
  client: Client,
  database: string,
  keep: number,
): Promise<number> {
  const names = await databaseNames(client);
  const { renames, drop } = swapPlan(database, names, keep);
  const seconds = await renameDatabases(client, renames);
  // The new contents are live by now, so nothing from here on may make the restore fail.
  for (const copy of drop) {
    await dropDatabase(client, copy).catch((error: unknown) => {
      logLine(`could not drop ${copy} yet: ${messageOf(error)}`);
    });
  }
  return names.has(database) ? seconds : 0;
}

/** Lets a former copy take the database's name again. Returns for how many seconds the name answered nobody. */
export async function rollBackDatabase(
  client: Client,
  database: string,
  copy: string,
): Promise<number> {
  return renameDatabases(client, bringBackPlan(database, await databaseNames(client), copy));
}

/** Names of all databases there are. */
export async function databaseNames(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database");
  return new Set(rows.map(({ datname }) => datname));
}

/**
 * All in one message, which is one transaction (PostgreSQL manual, 53.2.2): an agent that stops in its middle leaves no
 * lock behind that would keep everybody out.
 */
async function renameDatabases(client: Client, renames: readonly Renaming[]): Promise<number> {
  const started = performance.now();
  const ender = new SessionTerminator(renames.map(([from]) => from));
  await ender.start();
  try {
    // The first rename takes the lock that keeps new sessions out; it waits until the last old one has gone.
    await client.query(
      renames.map(([from, to]) => `ALTER DATABASE ${q(from)} RENAME TO ${q(to)}`).join("; "),
    );
  } finally {
    await ender.stop();
  }
  return (performance.now() - started) / 1000;
}

/** Drops what an interrupted restore left behind, of databases that nobody is restoring or verifying now. */
export async function dropLeftovers(client: Client): Promise<string[]> {
  const dropped: string[] = [];
  for (const datname of await databaseNames(client)) {
    const leftover = parseLeftoverName(datname);
    if (leftover === undefined || !(await tryLockDatabase(client, leftover.lock))) continue;
    try {
      await dropDatabase(client, datname);
      dropped.push(datname);
    } finally {
      await unlockDatabase(client, leftover.lock);
    }
  }
  return dropped;
}

/** Takes the right to restore a database; it ends with the session. */
export async function tryLockDatabase(client: Client, database: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    "SELECT pg_try_advisory_lock($1, hashtext($2)) AS locked",
    [advisoryLocks.database, database],
  );
  return rows[0]?.locked ?? false;
}

/** Gives the right back before the session ends. */
export async function unlockDatabase(client: Client, database: string): Promise<void> {
  await client.query("SELECT pg_advisory_unlock($1, hashtext($2))", [
    advisoryLocks.database,
    database,
  ]);
}

/** Ends the sessions of databases again and again, on a connection of its own, while they are being renamed. */
class SessionTerminator {
  #client: Client | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly databases: readonly string[]) {}

  async start(): Promise<void> {
    this.#client = await connect("postgres");
    await this.#end();
    this.#running = this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#client?.end();
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      await this.#end().catch(() => undefined);
      await sleep(10);
    }
  }

  async #end(): Promise<void> {
    await this.#client?.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY($1) AND pid <> pg_backend_pid()",
      [this.databases],
    );
  }
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
