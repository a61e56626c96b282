import type { Client } from "pg";
import type { ParametersObservation } from "../../../model/parameters/protocol";
import { overridingParameters } from "../../../model/parameters/postgresql-conf";
import { isExternal } from "../../postgres/external-connection";
import { sha256Of } from "../../system/digest";
import { configFiles } from "./config-files";
import { readTextIfExists } from "../../system/atomic-file";

/** Parameters that `pg_basebackup` and `pg_rewind` write to the file of ALTER SYSTEM for a standby. */
const standbyParameters = ["primary_conninfo", "primary_slot_name", "restore_command"];

/** Observes the parameters; read-only. */
export async function observeParameters(client: Client): Promise<ParametersObservation> {
  // Those of an external server are not managed.
  if (isExternal) return { values: {}, sha256: null, alterSystem: [], pendingRestart: [] };
  const text = await readTextIfExists(configFiles.parameters);
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM pg_settings WHERE pending_restart ORDER BY name",
  );
  const file = await client.query<{ name: string; setting: string }>(
    "SELECT name, setting FROM pg_file_settings WHERE sourcefile = $1 AND name IS NOT NULL",
    [configFiles.parameters],
  );
  const behind = overridingParameters((await readTextIfExists(configFiles.postgresql)) ?? "");
  return {
    ...(behind.length > 0 && { behind }),
    values: Object.fromEntries(file.rows.map(({ name, setting }) => [name, setting])),
    sha256: text === undefined ? null : sha256Of(text),
    alterSystem: await alterSystemParameters(client),
    pendingRestart: rows.map(({ name }) => name),
  };
}

/** Names of the parameters that were set by ALTER SYSTEM. */
export async function alterSystemParameters(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT name COLLATE "C" AS name FROM pg_file_settings
     WHERE sourcefile = $1 AND name IS NOT NULL AND name <> ALL ($2) ORDER BY 1`,
    [configFiles.alterSystem, standbyParameters],
  );
  return rows.map(({ name }) => name);
}
