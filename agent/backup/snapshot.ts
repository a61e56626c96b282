import type { Client } from "pg";
import type { CountedTable } from "../../model/backup/manifest";
import type { MaskCatalogue } from "../../model/masks/catalogue";
import { quoteIdentifier as q } from "../../model/base/sql";
import type { RecordedLedger } from "../../model/upgrades/ledger";
import { AgentError, messageOf } from "../system/errors";
import { readMaskCatalogue } from "../prepare/masks/catalogue";
import { connect } from "../postgres/connect";
import { readRecordedLedger } from "../prepare/upgrades/ledger";

/** Tables counted by one statement: few round trips to a distant server, and statements the planner can handle. */
const batchSize = 100;

/** Properties of a database in a snapshot. */
export interface SnapshotFacts {
  readonly encoding: string;
  readonly locale: string;
  readonly bytes: number;
  readonly largeObjects: number;
  readonly extensions: readonly { name: string; version: string }[];
  /** Upgrade scripts that have been applied; `undefined` when the ledger cannot be read. */
  readonly upgrades: RecordedLedger | undefined;
}

/** A table whose rows are in the dump. */
interface DumpedTable {
  readonly schema: string;
  readonly name: string;
  /** Estimated size of its main fork, from `pg_class.relpages`; for progress. */
  readonly bytes: number;
}

/** An exported snapshot of a database, which `pg_dump` and the row counts share. PostgreSQL manual, 9.28.5. */
export class Snapshot {
  private constructor(
    private readonly client: Client,
    /** Snapshot id for `SET TRANSACTION SNAPSHOT`. */
    readonly id: string,
    readonly facts: SnapshotFacts,
    readonly tables: readonly DumpedTable[],
  ) {}

  /** Opens a transaction and exports its snapshot; `undefined` when the database does not exist. The caller closes it. */
  static async open(database: string, lockTimeoutSeconds: number): Promise<Snapshot | undefined> {
    const client = await connectIfExists(database, lockTimeoutSeconds);
    if (!client) return undefined;
    try {
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const { rows } = await client.query<{ id: string }>("SELECT pg_export_snapshot() AS id");
      return new Snapshot(
        client,
        rows[0]?.id ?? "",
        await readFacts(client),
        await readTables(client),
      );
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Locks all tables in ACCESS SHARE mode until the snapshot is closed, so that none is truncated, altered or dropped:
   * TRUNCATE is not MVCC-safe. PostgreSQL manual, 13.6.
   */
  async lockTables(): Promise<void> {
    try {
      await this.client.query(lockSql);
    } catch (error) {
      const { where = "" } = error as { where?: string };
      const table = /"LOCK TABLE ONLY (.*) IN ACCESS SHARE MODE"/.exec(where)?.[1];
      if (table === undefined) throw error;
      throw new AgentError(`could not obtain lock on relation "${table}": ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Columns of the database, for previews of masks. */
  async columns(): Promise<MaskCatalogue> {
    await this.client.query("SAVEPOINT columns");
    const columns = await readMaskCatalogue(this.client, { sizes: false });
    // Restores the search_path.
    await this.client.query("ROLLBACK TO SAVEPOINT columns");
    return columns;
  }

  /** Counts the rows of all tables. */
  async countRows(): Promise<CountedTable[]> {
    const counted: CountedTable[] = [];
    for (let start = 0; start < this.tables.length; start += batchSize) {
      const batch = this.tables.slice(start, start + batchSize);
      // Rolling back to the savepoint releases the locks on the indexes: for 20,000 tables they would be too many.
      await this.client.query("SAVEPOINT counting");
      const counts = batch.map(
        ({ schema, name }, i) =>
          `SELECT ${i} AS i, count(*) AS rows FROM ONLY ${q(schema)}.${q(name)}`,
      );
      const { rows } = await this.client.query<{ i: number; rows: string }>(
        counts.join(" UNION ALL "),
      );
      await this.client.query("ROLLBACK TO SAVEPOINT counting");
      const found = new Map(rows.map(({ i, rows }) => [i, Number(rows)]));
      counted.push(
        ...batch.map(({ schema, name }, i) => ({ schema, name, rows: found.get(i) ?? 0 })),
      );
    }
    return counted;
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

async function connectIfExists(database: string, lockTimeout: number): Promise<Client | undefined> {
  try {
    return await connect(database, {
      lock_timeout: `${lockTimeout}s`,
      // Parallel workers would take processor time from the application.
      max_parallel_workers_per_gather: "0",
    });
  } catch (error) {
    const { cause } = error as AgentError;
    if ((cause as { code?: string } | undefined)?.code === "3D000") return undefined;
    throw error;
  }
}

async function readFacts(client: Client): Promise<SnapshotFacts> {
  const { rows } = await client.query<
    Pick<SnapshotFacts, "encoding" | "locale"> & { bytes: string; los: string }
  >(`
    SELECT pg_encoding_to_char(d.encoding) AS encoding,
           coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate) AS locale,
           pg_database_size(d.oid) AS bytes,
           (SELECT count(*) FROM pg_largeobject_metadata) AS los
    FROM pg_database d WHERE d.datname = current_database()`);
  const [facts] = rows;
  if (!facts) throw new AgentError("the database was dropped while it was being backed up");
  const { rows: extensions } = await client.query<{ name: string; version: string }>(
    `SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY extname COLLATE "C"`,
  );
  const { encoding, locale, bytes, los } = facts;
  return {
    encoding,
    locale,
    bytes: Number(bytes),
    largeObjects: Number(los),
    extensions,
    upgrades: await readRecordedLedger(client),
  };
}

async function readTables(client: Client): Promise<DumpedTable[]> {
  const { rows } = await client.query<{ schema: string; name: string; bytes: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, 8192 * c.relpages::bigint AS bytes ${dumpedTables}`,
  );
  return rows.map(({ schema, name, bytes }) => ({ schema, name, bytes: Number(bytes) }));
}

/** Tables that have rows of their own and are not members of an extension: those whose rows are in a dump. */
const dumpedTables = `
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

/** One statement: for 20,000 tables, the round trips would take longer than the locks. */
const lockSql = `
  DO $$ DECLARE dumped record; BEGIN
    FOR dumped IN SELECT n.nspname, c.relname ${dumpedTables} LOOP
      EXECUTE format('LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE', dumped.nspname, dumped.relname);
    END LOOP;
  END $$`;
