import { describeStatement } from "../../../model/dump/statement";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { connect } from "../../postgres/connect";
import { clientEnvironment, connectionString, streamOutput } from "../../postgres/client-programs";
import { runStatements } from "../../postgres/run-statements";
import type { LiveTable } from "./tables";

/**
 * Makes tables in `incoming` as the live database has them, with their sequences, constraints, indexes and triggers.
 * What cannot be made there, such as a foreign key to a table that is gone, is left out; a sentence for each, by table.
 */
export async function createTables(
  live: string,
  incoming: string,
  owner: string,
  tables: readonly LiveTable[],
): Promise<ReadonlyMap<LiveTable, readonly string[]>> {
  const notes = new Map(tables.map((table) => [table, [] as string[]]));
  if (tables.length === 0) return notes;
  const definition: Buffer[] = [];
  const args = [
    ...["--schema-only", "--no-owner", "--no-privileges", "--no-publications"],
    ...tables.map(({ sql }) => `--table-and-children=${sql}`),
    `--dbname=${connectionString(live)}`,
  ];
  for await (const chunk of streamOutput("pg_dump", args, clientEnvironment("")))
    definition.push(chunk);
  const client = await connect(incoming, { role: owner, client_min_messages: "error" });
  try {
    for (const schema of new Set(tables.map((table) => table.schema)))
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${q(schema)}`);
    await runStatements(client, Buffer.concat(definition).toString("utf8"), {
      onRejected: ({ statement, error }) => {
        const { action, table, name } = describeStatement(statement);
        // An older server does not know every setting that pg_dump makes.
        if (action === "set") return true;
        const of = tables.find((one) => [table, name].includes(`${one.schema}.${one.name}`));
        notes
          .get(of ?? (tables[0] as LiveTable))
          ?.push(`lacks what the live one has: ${statement} (${error.message})`);
        return true;
      },
    });
  } finally {
    await client.end();
  }
  return notes;
}
