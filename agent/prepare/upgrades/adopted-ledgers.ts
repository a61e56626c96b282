import type { Client } from "pg";
import type { AdoptedEntry, AdoptedTool } from "../../../model/upgrades/ledger";
import {
  adoptDbmate,
  adoptFlyway,
  adoptGolangMigrate,
  adoptNodePgMigrate,
} from "../../../model/upgrades/adopt";
import { quoteIdentifier as q } from "../../../model/base/sql";

/** A table with the name of a migration tool's ledger. */
interface LedgerCandidate {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
}

/** Table names of other migration tools' ledgers. */
export const adoptedTables = ["flyway_schema_history", "schema_migrations", "pgmigrations"];

/** Reads the ledgers of other migration tools, in any schema; read-only. */
export async function readAdopted(client: Client): Promise<AdoptedEntry[]> {
  const { rows } = await client.query<LedgerCandidate>(
    `SELECT n.nspname AS schema, c.relname AS name,
            array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind = 'r' AND c.relname = ANY ($1)
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     GROUP BY 1, 2 ORDER BY 1, 2`,
    [adoptedTables],
  );
  const found: AdoptedEntry[] = [];
  for (const table of rows) {
    const tool = toolOf(table);
    if (tool !== undefined) found.push(...(await readTable(client, table, tool)));
  }
  return found;
}

/** The tool of a ledger, by its name and columns, because several tools use the same table name. */
function toolOf({ name, columns }: LedgerCandidate): AdoptedTool | undefined {
  const has = (...names: readonly string[]): boolean =>
    names.every((column) => columns.includes(column));
  if (name === "flyway_schema_history")
    return has("installed_rank", "version", "type", "script", "success") ? "flyway" : undefined;
  if (name === "pgmigrations") return has("name", "run_on") ? "node-pg-migrate" : undefined;
  if (has("version", "dirty")) return "golang-migrate";
  return has("version") ? "dbmate" : undefined;
}

async function readTable(
  client: Client,
  { schema, name }: LedgerCandidate,
  tool: AdoptedTool,
): Promise<AdoptedEntry[]> {
  const from = `${q(schema)}.${q(name)}`;
  const select = async <T extends object>(columns: string, order: string): Promise<T[]> =>
    (await client.query<T>(`SELECT ${columns} FROM ${from} ORDER BY ${order}`)).rows;
  switch (tool) {
    case "flyway":
      return adoptFlyway(await select("version, type, script, success", "installed_rank"));
    case "dbmate":
      return adoptDbmate(await select("version::text AS version", "version"));
    case "golang-migrate":
      return adoptGolangMigrate(await select("version::text AS version, dirty", "version"));
    case "node-pg-migrate":
      return adoptNodePgMigrate(await select("name", "run_on, name"));
  }
}
