import type { Client } from "pg";
import type { CountedTable } from "../../model/backup/manifest";
import type { MaskCatalogue } from "../../model/masks/catalogue";
import { quoteIdentifier as q } from "../../model/base/sql";
import type { RecordedLedger } from "../../model/upgrades/ledger";
import { AgentError, messageOf } from "../system/errors";
import { readMaskCatalogue } from "../prepare/masks/catalogue";
import { connect } from "../postgres/connect";
import { readRecordedLedger } from "../prepare/upgrades/ledger";

/** Tables whose rows are counted by one statement: a server far away is asked seldom, and its planner not for too much. */
const batchSize = 100;

/** What is known of a database in a snapshot. */
export interface SnapshotFacts {
  readonly encoding: string;
  readonly locale: string;
  readonly bytes: number;
  readonly largeObjects: number;
  readonly extensions: readonly { name: string; version: string }[];
  /** Upgrade scripts that it has been through, where that can be read. */
  readonly upgrades: RecordedLedger | undefined;
}

/** A table that a dump has the rows of. */
interface DumpedTable {
  readonly schema: string;
  readonly name: string;
  /** With its indexes and what is stored beside it. */
  readonly bytes: number;
}

/** One moment of a database: whatever is read in it, by any of several programs, is of that moment. PostgreSQL manual, 9.28.5. */
export class Snapshot {
  private constructor(
    private readonly client: Client,
    /** By this another session reads the same moment. */
    readonly id: string,
    readonly facts: SnapshotFacts,
    readonly tables: readonly DumpedTable[],
  ) {}

  /** Opens a transaction for it; `undefined` when the database is not there. The caller closes it. */
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
   * Lets nobody empty, change or drop a table before the snapshot is closed, whoever waits for that meanwhile: emptying is
   * seen in every snapshot. PostgreSQL manual, 13.6.
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

  /** Its columns, for previews of masks. */
  async columns(): Promise<MaskCatalogue> {
    await this.client.query("SAVEPOINT columns");
    const columns = await readMaskCatalogue(this.client, { sizes: false });
    // With it goes the path that was set.
    await this.client.query("ROLLBACK TO SAVEPOINT columns");
    return columns;
  }

  /** Counts the rows of every table. */
  async countRows(): Promise<CountedTable[]> {
    const counted: CountedTable[] = [];
    for (let start = 0; start < this.tables.length; start += batchSize) {
      const batch = this.tables.slice(start, start + batchSize);
      // Going back to the savepoint frees the locks: of 20,000 tables at once they would be too many.
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
      // Rows are counted beside the application: helpers would take the processors from it.
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
    ...{ encoding, locale, bytes: Number(bytes), largeObjects: Number(los), extensions },
    upgrades: await readRecordedLedger(client),
  };
}

async function readTables(client: Client): Promise<DumpedTable[]> {
  const { rows } = await client.query<{ schema: string; name: string; bytes: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, 8192 * c.relpages::bigint AS bytes ${dumpedTables}`,
  );
  return rows.map(({ schema, name, bytes }) => ({ schema, name, bytes: Number(bytes) }));
}

/** Those that have rows of their own, and whose rows are in a dump: not the ones that belong to an extension. */
const dumpedTables = `
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

/** In one statement: for 20,000 tables, a message each would take longer than the locks themselves. */
const lockSql = `
  DO $$ DECLARE held record; BEGIN
    FOR held IN SELECT n.nspname, c.relname ${dumpedTables} LOOP
      EXECUTE format('LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE', held.nspname, held.relname);
    END LOOP;
  END $$`;
