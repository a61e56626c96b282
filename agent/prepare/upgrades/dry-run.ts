import { spawn } from "node:child_process";
import { pipeline } from "node:stream/promises";
import type { Client } from "pg";
import { dryRunName } from "../../../model/base/names";
import type { Upgrades, UpgradesReport } from "../../../model/upgrades/protocol";
import { databaseRoles } from "../../../model/roles/names";
import { formatBytes } from "../../../model/base/units";
import { quoteIdentifier as q, quoteLiteral } from "../../../model/base/sql";
import { databaseLock } from "../../postgres/advisory-locks";
import { dropDatabase, tryLockDatabase } from "../../postgres/databases";
import { lockHolders } from "../../postgres/locks";
import { connectToOwnDatabase } from "../../postgres/own-database";
import { describeSession } from "../../postgres/sessions";
import { AgentError } from "../../system/errors";
import { ownSqlSettings, withConnection } from "../../postgres/connect";
import { withDisposableServer } from "../../postgres/scratch/disposable-server";
import { isAtScratchServer } from "../../postgres/target";
import { withRestrictedLogin } from "../../postgres/restricted-login";
import { clientEnvironment, connectionString } from "../../postgres/client-programs";
import { logLine } from "../../system/progress";
import { freeDataBytes } from "../../postgres/free-space";
import { applyUpgrades } from "./run";

/** What the copy of a database needs to know of it. */
interface Original {
  readonly bytes: number;
  /** Statement that creates the empty copy. */
  readonly create: string;
  readonly extensions: readonly Extension[];
  /** Statements that create the roles of the server, without logins, and their memberships. */
  readonly roles: readonly string[];
}

interface Extension {
  readonly name: string;
  readonly schema: string;
  readonly version: string;
}

/**
 * Applies the pending scripts to a copy of a database on a disposable server. The database itself is only read. On an external
 * server the copy is beside it.
 */
export async function dryRunUpgrades(
  server: string,
  database: string,
  upgrades: Upgrades,
): Promise<UpgradesReport> {
  const copy = dryRunName(database);
  const admin = await connectToOwnDatabase();
  try {
    // Without the lock the agent's main process would drop the copy on an external server.
    if (!(await tryLockDatabase(admin, copy))) {
      const holders = await lockHolders(admin, databaseLock(copy));
      throw new AgentError(
        [
          `another dry run of upgrade scripts on a copy of ${database} is running; try again when it has finished`,
          ...holders.map((session) => `  it is     ${describeSession(session, new Date())}`),
        ].join("\n"),
      );
    }
    // Left behind by a version that made the copy on the server itself, or by a dry run on an external server.
    await dropDatabase(admin, copy);
    const original = await readOriginal(database, copy);
    const source = clientEnvironment();
    return await withDisposableServer(async () => {
      try {
        const { owner } = databaseRoles(database);
        await createCopy(original, database, copy, owner);
        logLine(`copying ${database} …`);
        await withRestrictedLogin({ role: owner }, async (login) => {
          await copyContents(source, database, copy, await login.environment(ownSqlSettings));
        });
        return await applyUpgrades({ database: copy, owner, server }, upgrades);
      } finally {
        await withConnection("postgres", async (client) => dropDatabase(client, copy)).catch(
          () => undefined,
        );
      }
    });
  } finally {
    await admin.end().catch(() => undefined);
  }
}

/** Reads what {@link Original} has. A copy by CREATE DATABASE … TEMPLATE would require that no session is connected to the database. */
async function readOriginal(database: string, copy: string): Promise<Original> {
  const { owner } = databaseRoles(database);
  const extensions = await withConnection(database, async (client) => {
    const { rows } = await client.query<Extension>(
      `SELECT extname AS name, nspname AS schema, extversion AS version
       FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql' ORDER BY pg_extension.oid`,
    );
    return rows;
  });
  return withConnection("postgres", async (client) => {
    const { rows } = await client.query<{ bytes: string; create: string }>(
      `SELECT pg_database_size(oid) AS bytes,
              format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LOCALE_PROVIDER %s LC_COLLATE %L LC_CTYPE %L%s',
                $2::text, $3::text, pg_encoding_to_char(encoding),
                CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
                datcollate, datctype,
                CASE datlocprovider WHEN 'i' THEN format(' ICU_LOCALE %L', locale)
                                    WHEN 'b' THEN format(' BUILTIN_LOCALE %L', locale) ELSE '' END) AS create
       FROM (SELECT d.*, coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale
             FROM pg_database d WHERE datname = $1) AS source`,
      [database, copy, owner],
    );
    const [found] = rows;
    if (!found) throw new AgentError(`there is no database ${database}`);
    const { rows: roles } = await client.query<{ statement: string }>(rolesSql);
    const statements = roles.map(({ statement }) => statement);
    return { bytes: Number(found.bytes), create: found.create, extensions, roles: statements };
  });
}

/** Roles without logins or attributes, then who is a member of which. */
const rolesSql = `
  WITH own AS (SELECT oid, rolname FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^(pg_|stagecraft_session_)')
  SELECT format('CREATE ROLE %I NOLOGIN', rolname) AS statement, 1 AS at FROM own
  UNION ALL
  SELECT DISTINCT format('GRANT %I TO %I', g.rolname, m.rolname), 2
  FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN own m ON m.oid = a.member
  WHERE NOT g.rolsuper AND (g.oid IN (SELECT oid FROM own) OR g.rolname ~ '^pg_')
  ORDER BY at`;

/** Creates the empty copy, with what needs the superuser: extensions, and on a server of its own the roles. */
async function createCopy(
  { bytes, create, extensions, roles }: Original,
  database: string,
  copy: string,
  owner: string,
): Promise<void> {
  await withConnection("postgres", async (client) => {
    if (isAtScratchServer()) for (const statement of roles) await client.query(statement);
    await dropDatabase(client, copy);
    await requireSpace(client, database, bytes * 1.2);
    await client.query(create);
    await client.query(`REVOKE ALL ON DATABASE ${q(copy)} FROM PUBLIC`);
  });
  await withConnection(copy, async (client) => {
    for (const { name, schema, version } of extensions) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${q(schema)} AUTHORIZATION ${q(owner)}`);
      await client.query(
        `CREATE EXTENSION ${q(name)} WITH SCHEMA ${q(schema)} VERSION ${quoteLiteral(version)}`,
      );
    }
    const { rows } = await client.query<{ name: string }>(
      "SELECT fdwname AS name FROM pg_foreign_data_wrapper",
    );
    for (const { name } of rows)
      await client.query(`GRANT USAGE ON FOREIGN DATA WRAPPER ${q(name)} TO ${q(owner)}`);
  });
}

async function requireSpace(client: Client, database: string, needed: number): Promise<void> {
  const free = await freeDataBytes(client);
  if (free === null || free > needed) return;
  throw new AgentError(
    `a copy of ${database} needs about ${formatBytes(needed)}, and ${formatBytes(free)} are free; free some space, or try the scripts on another server`,
  );
}

/** What the owner cannot create in the copy, and what is there already. */
const expectedErrors =
  /ERROR: {2}(?:schema ".*" already exists|permission denied to create event trigger|event trigger ".*" does not exist)/;

/**
 * @param source Environment of pg_dump
 * @param target Environment of pg_restore, as a role with the rights of the owner
 */
async function copyContents(
  source: NodeJS.ProcessEnv,
  database: string,
  copy: string,
  target: NodeJS.ProcessEnv,
): Promise<void> {
  const dump = spawn(
    "pg_dump",
    [
      ...["--format=custom", "--compress=0", "--no-comments", "--no-publications"],
      ...["--no-subscriptions", `--dbname=${connectionString(database)}`],
    ],
    { env: source, stdio: ["ignore", "pipe", "pipe"] },
  );
  const restore = spawn(
    "pg_restore",
    ["--no-owner", "--no-acl", `--dbname=${connectionString(copy)}`],
    { env: target, stdio: ["pipe", "ignore", "pipe"] },
  );
  const output: Buffer[] = [];
  for (const { stderr } of [dump, restore])
    stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const ends = [dump, restore].map(
    async (child) =>
      new Promise<number>((resolve) =>
        child.on("close", (s) => {
          resolve(s ?? 255);
        }),
      ),
  );
  await pipeline(dump.stdout, restore.stdin).catch(() => dump.kill());
  const [dumped, restored = 255] = await Promise.all(ends);
  const errors = Buffer.concat(output)
    .toString("utf8")
    .split("\n")
    .filter((line) => /^pg_\w+: error:/.test(line) && !expectedErrors.test(line));
  if (dumped === 0 && restored <= 1 && errors.length === 0) return;
  throw new AgentError(
    `cannot copy ${database}: ${errors[0] ?? `pg_restore ended with ${restored}`}`,
  );
}
