import { spawn } from "node:child_process";
import { pipeline } from "node:stream/promises";
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
import { withRestrictedLogin } from "../../postgres/restricted-login";
import { clientEnvironment, connectionString } from "../../postgres/client-programs";
import { logLine } from "../../system/progress";
import { freeDataBytes } from "../../postgres/free-space";
import { applyUpgrades } from "./run";

/** Applies the pending scripts to a copy of a database and drops the copy. The database itself is only read. */
export async function dryRunUpgrades(
  server: string,
  database: string,
  upgrades: Upgrades,
): Promise<UpgradesReport> {
  const copy = dryRunName(database);
  const admin = await connectToOwnDatabase();
  try {
    // Without the lock the agent's main process would drop the copy.
    if (!(await tryLockDatabase(admin, copy))) {
      const holders = await lockHolders(admin, databaseLock(copy));
      throw new AgentError(
        [
          `another dry run of upgrade scripts on a copy of ${database} is running; try again when it has finished`,
          ...holders.map((session) => `  it is     ${describeSession(session, new Date())}`),
        ].join("\n"),
      );
    }
    await dropDatabase(admin, copy);
    await requireSpace(database);
    logLine(`copying ${database} …`);
    const { owner } = databaseRoles(database);
    await copyDatabase(database, copy, owner);
    return await applyUpgrades({ database: copy, owner, server }, upgrades);
  } finally {
    await dropDatabase(admin, copy).catch(() => undefined);
    await admin.end().catch(() => undefined);
  }
}

async function requireSpace(database: string): Promise<void> {
  await withConnection("postgres", async (client) => {
    const free = await freeDataBytes(client);
    const { rows } = await client.query<{ bytes: string }>("SELECT pg_database_size($1) AS bytes", [
      database,
    ]);
    const needed = Number(rows[0]?.bytes ?? 0);
    if (free === null || free > needed * 1.2) return;
    throw new AgentError(
      `a copy of ${database} needs about ${formatBytes(needed * 1.2)}, and ${formatBytes(free)} are free; free some space, or try the scripts on another server`,
    );
  });
}

/** Copies a database by dump and restore, because CREATE DATABASE … TEMPLATE requires that no session is connected to it. */
async function copyDatabase(database: string, copy: string, owner: string): Promise<void> {
  await withConnection("postgres", async (client) => {
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LOCALE_PROVIDER %s LC_COLLATE %L LC_CTYPE %L%s',
                $2::text, $3::text, pg_encoding_to_char(encoding),
                CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
                datcollate, datctype,
                CASE datlocprovider WHEN 'i' THEN format(' ICU_LOCALE %L', locale)
                                    WHEN 'b' THEN format(' BUILTIN_LOCALE %L', locale) ELSE '' END) AS statement
       FROM (SELECT d.*, coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale
             FROM pg_database d WHERE datname = $1) AS source`,
      [database, copy, owner],
    );
    if (!rows[0]) throw new AgentError(`there is no database ${database}`);
    await client.query(rows[0].statement);
    await client.query(`REVOKE ALL ON DATABASE ${q(copy)} FROM PUBLIC`);
  });
  await createExtensions(database, copy, owner);
  await withRestrictedLogin({ role: owner }, async (login) => {
    await copyContents(database, copy, await login.environment(ownSqlSettings));
  });
}

/** Creates the extensions of a database in its copy, where they need the superuser. */
async function createExtensions(database: string, copy: string, owner: string): Promise<void> {
  const extensions = await withConnection(database, async (client) => {
    const { rows } = await client.query<{ name: string; schema: string; version: string }>(
      `SELECT extname AS name, nspname AS schema, extversion AS version
       FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql' ORDER BY pg_extension.oid`,
    );
    return rows;
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

/** What the owner cannot create in the copy, and what is there already. */
const expectedErrors =
  /ERROR: {2}(?:schema ".*" already exists|permission denied to create event trigger|event trigger ".*" does not exist)/;

/** @param environment of pg_restore, as a role with the rights of the owner */
async function copyContents(
  database: string,
  copy: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const dump = spawn(
    "pg_dump",
    [
      ...["--format=custom", "--compress=0", "--no-comments", "--no-publications"],
      ...["--no-subscriptions", `--dbname=${connectionString(database)}`],
    ],
    { env: clientEnvironment(), stdio: ["ignore", "pipe", "pipe"] },
  );
  const restore = spawn(
    "pg_restore",
    ["--no-owner", "--no-acl", `--dbname=${connectionString(copy)}`],
    { env: environment, stdio: ["pipe", "ignore", "pipe"] },
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
