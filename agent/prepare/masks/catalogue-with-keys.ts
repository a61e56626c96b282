import type { Client } from "pg";
import type { KeyStatements } from "../../../model/dump/key-statements";
import type { MaskCatalogue } from "../../../model/masks/catalogue";
import { quoteLiteral } from "../../../model/base/sql";
import { RawStatement } from "../../postgres/raw-statement";
import { AgentError } from "../../system/errors";
import { readMaskCatalogue } from "./catalogue";

/**
 * Reads the catalogue as it will be when the dump's keys exist: creates them while the tables are empty, and rolls back.
 * What PostgreSQL rejects is left out; the restore reports it later.
 */
export async function readCatalogueWithKeys(
  client: Client,
  { encoding, statements }: KeyStatements,
): Promise<MaskCatalogue> {
  await client.query("BEGIN");
  await client.query(`SET LOCAL client_encoding = ${quoteLiteral(encoding)}`);
  for (const statement of statements) {
    await client.query("SAVEPOINT key");
    const ending = await RawStatement.run(client, statement);
    if (!("error" in ending)) await client.query("RELEASE SAVEPOINT key");
    else if (ending.error.code === "53200") throw tooManyLocks(statements.length);
    else await client.query("ROLLBACK TO SAVEPOINT key");
  }
  await client.query("SET LOCAL client_encoding = 'UTF8'");
  const catalogue = await readMaskCatalogue(client, { sizes: false });
  await client.query("ROLLBACK");
  // There are no rows yet.
  return { ...catalogue, tables: catalogue.tables.map((table) => ({ ...table, rows: 0 })) };
}

function tooManyLocks(keys: number): AgentError {
  return new AgentError(
    `PostgreSQL cannot hold the locks for the ${keys} keys of the dump, which the masks are planned by; set postgres.settings.max_locks_per_transaction to ${Math.max(128, Math.ceil((4 * keys) / 100))}`,
  );
}
