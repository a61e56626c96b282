import { spawn } from "node:child_process";
import { pipeline } from "node:stream/promises";
import { dryRunName } from "../../../model/base/names";
import type { Upgrades, UpgradesReport } from "../../../model/upgrades/protocol";
import { databaseRoles } from "../../../model/roles/names";
import { formatBytes } from "../../../model/base/units";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { databaseLock } from "../../postgres/advisory-locks";
import { dropDatabase, tryLockDatabase } from "../../postgres/databases";
import { lockHolders } from "../../postgres/locks";
import { connectToOwnDatabase } from "../../postgres/own-database";
import { describeSession } from "../../postgres/sessions";
import { AgentError } from "../../system/errors";
import { withConnection } from "../../postgres/connect";
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
    await copyDatabase(database, copy);
    const { owner } = databaseRoles(database);
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
async function copyDatabase(database: string, copy: string): Promise<void> {
  await withConnection("postgres", async (client) => {
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LOCALE_PROVIDER %s LC_COLLATE %L LC_CTYPE %L%s',
                $2::text, pg_get_userbyid(datdba), pg_encoding_to_char(encoding),
                CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
                datcollate, datctype,
                CASE datlocprovider WHEN 'i' THEN format(' ICU_LOCALE %L', locale)
                                    WHEN 'b' THEN format(' BUILTIN_LOCALE %L', locale) ELSE '' END) AS statement
       FROM (SELECT d.*, coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale
             FROM pg_database d WHERE datname = $1) AS source`,
      [database, copy],
    );
    if (!rows[0]) throw new AgentError(`there is no database ${database}`);
    await client.query(rows[0].statement);
    await client.query(`REVOKE ALL ON DATABASE ${q(copy)} FROM PUBLIC`);
  });
  const env = clientEnvironment("");
  const dump = spawn(
    "pg_dump",
    ["--format=custom", "--compress=0", `--dbname=${connectionString(database)}`],
    {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const restore = spawn("pg_restore", ["--exit-on-error", `--dbname=${connectionString(copy)}`], {
    env,
    stdio: ["pipe", "ignore", "pipe"],
  });
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
  const statuses = await Promise.all(ends);
  if (statuses.every((status) => status === 0)) return;
  const [first = ""] = Buffer.concat(output).toString("utf8").trim().split("\n");
  throw new AgentError(`cannot copy ${database}: ${first}`);
}
