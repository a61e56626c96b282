import type { Client } from "pg";
import {
  ledgerSchema,
  ledgerTable,
  recordedLedgerSchema,
  type AdoptedEntry,
  type Ledger,
  type LedgerEntry,
  type RecordedLedger,
} from "../../../model/upgrades/ledger";
import { isVersion } from "../../../model/upgrades/version";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError, messageOf } from "../../system/errors";
import { adoptedTables, readAdopted } from "./adopted-ledgers";

const table = `${q(ledgerSchema)}.${q(ledgerTable)}`;

/** Timeout of the version query. */
const queryTimeoutSeconds = 30;

/** Creates the ledger if it does not exist; the session's role becomes its owner. */
export async function ensureLedger(client: Client): Promise<void> {
  if (await hasLedger(client)) return;
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${q(ledgerSchema)}`);
  await client.query(`
    CREATE TABLE ${table} (
      package text NOT NULL,
      from_version text NOT NULL,
      to_version text NOT NULL,
      name text NOT NULL,
      sha256 text NOT NULL,
      applied_at timestamptz NOT NULL,
      applied_by text NOT NULL,
      seconds double precision NOT NULL,
      PRIMARY KEY (package, from_version, to_version)
    )`);
  await client.query(
    `COMMENT ON TABLE ${table} IS 'Upgrade scripts that have been applied to this database; managed by Stagecraft'`,
  );
}

/** Records that a script was applied. */
export async function recordScript(client: Client, entry: LedgerEntry): Promise<void> {
  await client.query(`INSERT INTO ${table} VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, [
    entry.package,
    entry.from,
    entry.to,
    entry.name,
    entry.sha256,
    entry.appliedAt,
    entry.appliedBy,
    entry.seconds,
  ]);
}

/**
 * Reads the ledgers in the caller's transaction, for a manifest. Returns `undefined` when they cannot be read, which
 * affects neither the transaction nor the backup.
 */
export async function readRecordedLedger(client: Client): Promise<RecordedLedger | undefined> {
  await client.query("SAVEPOINT ledger");
  try {
    if (await runsForeignCode(client)) return undefined;
    const read = { entries: await readEntries(client), adopted: await readAdopted(client) };
    return recordedLedgerSchema.safeParse(read).data;
  } catch {
    return undefined;
  } finally {
    await client.query("ROLLBACK TO SAVEPOINT ledger");
  }
}

/**
 * Whether reading a ledger could run code of a user: a view, a type with its own functions, an inherited foreign table.
 * This matters for a backup, which reads as the superuser; an upgrade reads as the owner.
 */
async function runsForeignCode(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (
       SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE (n.nspname = $1 AND c.relname = $2 AND c.relkind <> 'r')
          OR (c.relkind = 'r' AND (n.nspname = $1 AND c.relname = $2 OR c.relname = ANY ($3))
              AND (c.relhassubclass
                   OR EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                                AND t.typnamespace <> 'pg_catalog'::regnamespace)))) AS found`,
    [ledgerSchema, ledgerTable, adoptedTables],
  );
  return rows[0]?.found ?? true;
}

/** Reads Stagecraft's ledger, the ledgers of other tools, and the result of the version query; read-only. */
export async function readLedger(client: Client, versionQuery?: string): Promise<Ledger> {
  await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  try {
    const entries = await readEntries(client);
    const adopted: AdoptedEntry[] = await readAdopted(client);
    const queried = versionQuery === undefined ? [] : await queryVersions(client, versionQuery);
    return { entries, adopted, queried };
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
  }
}

async function hasLedger(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    "SELECT to_regclass($1) IS NOT NULL AS found",
    [table],
  );
  return rows[0]?.found ?? false;
}

async function readEntries(client: Client): Promise<LedgerEntry[]> {
  if (!(await hasLedger(client))) return [];
  // In seconds: as text, a time would depend on the DateStyle of the database.
  const { rows } = await client.query<Omit<LedgerEntry, "appliedAt"> & { applied: string }>(`
    SELECT package, from_version AS "from", to_version AS "to", name, sha256,
           EXTRACT(epoch FROM applied_at) AS applied, applied_by AS "appliedBy", seconds
    FROM ${table}`);
  return rows.map(({ applied, ...entry }) => ({
    ...entry,
    appliedAt: new Date(Math.round(Number(applied) * 1000)).toISOString(),
  }));
}

/** Runs the version query, which returns rows of package and version, or a single version. */
async function queryVersions(client: Client, query: string): Promise<Ledger["queried"]> {
  const setting = "upgrades.version";
  await client.query(`SET LOCAL statement_timeout = '${queryTimeoutSeconds}s'`);
  let answer: { rows: unknown[][]; fields: { name: string }[] };
  try {
    answer = await client.query<unknown[]>({ text: query, rowMode: "array" });
  } catch (error) {
    throw new AgentError(`${setting}: PostgreSQL rejects the query: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const width = answer.fields.length;
  if (width !== 1 && width !== 2) {
    throw new AgentError(
      `${setting}: must return a version, or rows of package and version, got ${width} columns`,
    );
  }
  if (width === 1 && answer.rows.length > 1) {
    throw new AgentError(
      `${setting}: returns ${answer.rows.length} rows with one column; return the package before the version, or only one row`,
    );
  }
  return answer.rows.flatMap((row) => {
    const version = row.at(-1);
    if (version === null) return [];
    const text = textOf(version).trim();
    if (!isVersion(text))
      throw new AgentError(`${setting}: returns "${text}", which is not a valid version`);
    return width === 1 ? [{ version: text }] : [{ package: textOf(row[0]), version: text }];
  });
}

/** A value as text; numbers and the like arrive as JavaScript values. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
