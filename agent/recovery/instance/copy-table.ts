import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Client } from "pg";
import { reservedBytes } from "../../../model/dump/disk-space";
import type { CopyTableRequest, CopyTableResult } from "../../../model/point-in-time/protocol";
import { databaseRoles } from "../../../model/roles/names";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { formatBytes } from "../../../model/base/units";
import { AgentError } from "../../system/errors";
import { withConnection } from "../../postgres/connect";
import { clientEnvironment, connectionString } from "../../postgres/client-programs";
import { logLine } from "../../system/progress";
import { freeDataBytes } from "../../postgres/free-space";
import { connectToInstance, requireInstance, instanceEnvironment } from "./instance";
import { ensureInstanceRuns } from "./postmaster";

/** What the copy needs to know of a table of the recovery instance. */
interface SourceTable {
  readonly columns: readonly string[];
  /** Column definitions: name, type, collation and NOT NULL. */
  readonly definitions: readonly string[];
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Copies a table of the recovery instance into a new table of the server, in one transaction: rows, columns, types and
 * NOT NULL, but no keys, indexes, defaults or triggers. Operators then move the rows to their table with SQL.
 */
export async function copyTable(request: CopyTableRequest): Promise<CopyTableResult> {
  const started = performance.now();
  const { server, database, schema, table, toSchema, toTable } = request;
  await requireInstance(server);
  await ensureInstanceRuns();
  const source = await readTable(request);
  await withConnection(database, async (client) => checkTarget(client, request, source));
  logLine(`copy ${schema}.${table}, ${source.rows} rows …`);
  await transfer(request, source);
  const seconds = Math.round(performance.now() - started) / 1000;
  return { schema: toSchema, table: toTable, rows: source.rows, seconds };
}

async function readTable({ database, schema, table }: CopyTableRequest): Promise<SourceTable> {
  const client = await connectToInstance(database);
  try {
    const { rows } = await client.query<{ name: string; definition: string; bytes: string }>(
      `SELECT a.attname AS name, pg_table_size(c.oid) AS bytes,
              format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
              || CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
                      THEN (SELECT format(' COLLATE %I.%I', n.nspname, l.collname)
                            FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE l.oid = a.attcollation)
                      ELSE '' END
              || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS definition
       FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_type t ON t.oid = a.atttypid
       WHERE s.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'm') ORDER BY a.attnum`,
      [schema, table],
    );
    if (rows.length === 0) {
      throw new AgentError(
        `the recovery instance has no table ${schema}.${table} with columns in ${database}; list its tables with: npx stagecraft pitr <stack> psql ${database} -- -c "\\dt *.*"`,
      );
    }
    const counted = await client.query<{ rows: string }>(
      `SELECT count(*) AS rows FROM ${q(schema)}.${q(table)}`,
    );
    return {
      columns: rows.map(({ name }) => name),
      definitions: rows.map(({ definition }) => definition),
      rows: Number(counted.rows[0]?.rows ?? 0),
      bytes: Number(rows[0]?.bytes ?? 0),
    };
  } finally {
    await client.end();
  }
}

/** Throws an {@link AgentError} when the new table cannot be created. */
async function checkTarget(
  client: Client,
  { server, database, toSchema, toTable }: CopyTableRequest,
  { bytes }: SourceTable,
): Promise<void> {
  const { rows } = await client.query<{ hasSchema: boolean; hasTable: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "hasSchema",
            EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2) AS "hasTable"`,
    [toSchema, toTable],
  );
  if (rows[0]?.hasSchema !== true) {
    throw new AgentError(
      `database ${database} of ${server} has no schema ${toSchema}; create it first, or choose another with --as schema.table`,
    );
  }
  if (rows[0].hasTable) {
    throw new AgentError(
      `table ${toSchema}.${toTable} already exists and is not overwritten; choose another name with --as`,
    );
  }
  const free = await freeDataBytes(client);
  // The rows are also written to the WAL.
  const needed = 2 * bytes + reservedBytes;
  if (free !== null && free < needed) {
    throw new AgentError(
      `the copy needs ${formatBytes(needed)} on PostgreSQL's volume, but only ${formatBytes(free)} are free; free some space first`,
    );
  }
}

/** Copies the rows from psql to psql. They are counted before the commit, so that a truncated copy is rolled back. */
async function transfer(request: CopyTableRequest, source: SourceTable): Promise<void> {
  const { database, schema, table, toSchema, toTable } = request;
  const columns = source.columns.map(q).join(", ");
  const target = `${q(toSchema)}.${q(toTable)}`;
  const { owner } = databaseRoles(database);
  const checkCount = `DO $$ BEGIN IF (SELECT count(*) FROM ${target}) <> ${source.rows} THEN RAISE EXCEPTION 'rows were lost during the copy'; END IF; END $$`;
  const psql = [
    "--no-psqlrc",
    "--quiet",
    "--set=ON_ERROR_STOP=1",
    `--dbname=${connectionString(database)}`,
  ];
  const reading = spawn(
    "psql",
    [...psql, "-c", `COPY (SELECT ${columns} FROM ${q(schema)}.${q(table)}) TO STDOUT`],
    { env: instanceEnvironment(), stdio: ["ignore", "pipe", "pipe"] },
  );
  const statements = [
    `CREATE TABLE ${target} (${source.definitions.join(", ")})`,
    // The owner role does not exist for databases that Stagecraft does not manage.
    `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(owner)}) THEN ALTER TABLE ${target} OWNER TO ${q(owner)}; END IF; END $$`,
    `COPY ${target} (${columns}) FROM STDIN`,
    checkCount,
    `ANALYZE ${target}`,
  ];
  const writing = spawn(
    "psql",
    [...psql, "--single-transaction", ...statements.flatMap((statement) => ["-c", statement])],
    { env: clientEnvironment(), stdio: ["pipe", "ignore", "pipe"] },
  );
  // Failures are reported by the exit statuses below.
  const piped = pipeline(reading.stdout, writing.stdin).catch(() => undefined);
  const [readError, writeError] = await Promise.all([errorOf(reading), errorOf(writing), piped]);
  if (writeError !== undefined || readError !== undefined) {
    throw new AgentError(
      `${schema}.${table} was not copied, and nothing was changed: ${writeError ?? readError ?? ""}`,
    );
  }
}

/** The error message of a program; `undefined` if it succeeds. */
async function errorOf(child: ReturnType<typeof spawn>): Promise<string | undefined> {
  const status = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve(code ?? 255);
    });
  });
  const stderr = child.stderr ? await text(child.stderr) : "";
  if ((await status) === 0) return undefined;
  return (
    stderr
      .trim()
      .split("\n")[0]
      ?.replace(/^ERROR: {2}/, "") ?? "no error message"
  );
}

function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
