import { describeStatement } from "../../../model/dump/statement";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { clientEnvironment, connectionString, streamOutput } from "../../postgres/client-programs";
import type { RestrictedLogin } from "../../postgres/restricted-login";
import { runStatements } from "../../postgres/run-statements";
import type { LiveTable } from "./tables";

/**
 * Creates tables in the candidate database as in the live database, with their sequences, constraints, indexes and
 * triggers. What cannot be created there, e.g. a foreign key to a removed table, is left out. Returns notes about it, by
 * table.
 */
export async function createTables(
  live: string,
  candidate: string,
  login: RestrictedLogin,
  tables: readonly LiveTable[],
): Promise<ReadonlyMap<LiveTable, readonly string[]>> {
  const notes = new Map(tables.map((table) => [table, [] as string[]]));
  if (tables.length === 0) return notes;
  const definition: Buffer[] = [];
  const args = [
    "--schema-only",
    "--no-owner",
    "--no-privileges",
    "--no-publications",
    ...tables.map(({ sql }) => `--table-and-children=${sql}`),
    `--dbname=${connectionString(live)}`,
  ];
  for await (const chunk of streamOutput("pg_dump", args, clientEnvironment()))
    definition.push(chunk);
  const client = await login.connect(candidate, { client_min_messages: "error" });
  try {
    for (const schema of new Set(tables.map((table) => table.schema)))
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${q(schema)}`);
    await runStatements(client, Buffer.concat(definition).toString("utf8"), {
      onRejected: ({ statement, error }) => {
        const { action, table, name } = describeStatement(statement);
        // An older server does not have all parameters that pg_dump sets.
        if (action === "set") return true;
        const owner = tables.find((one) => [table, name].includes(`${one.schema}.${one.name}`));
        notes
          .get(owner ?? (tables[0] as LiveTable))
          ?.push(`missing, unlike in the live database: ${statement} (${error.message})`);
        return true;
      },
    });
  } finally {
    await client.end();
  }
  return notes;
}
