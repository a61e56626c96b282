import { copyFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { AgentError } from "../system/errors";
import { clientEnvironment } from "../postgres/client-programs";
import { stateFolder } from "../system/state-folder";
import { runProgram } from "../system/run-program";
import { settingsFile } from "../../model/backup/settings-file";

/** File name of the stack's state, in the agent's volume and in a backup. */
export const stateFile = "pulumi-state.json";

/** Writes roles, tablespaces, `pg_hba.conf`, `pg_ident.conf`, parameters and the stack's state into the folder of a backup. */
export async function writeServerFiles(
  client: Client,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await writeGlobals(path.join(folder, "globals.sql"), signal);
  await writeAccessRules(client, folder);
  await writeParameters(client, path.join(folder, settingsFile));
  await copyState(path.join(folder, stateFile));
}

/** Roles and tablespaces, without passwords. */
async function writeGlobals(file: string, signal: AbortSignal): Promise<void> {
  const errors: string[] = [];
  const command = ["pg_dumpall", "--globals-only", "--no-role-passwords", "--no-password"] as const;
  const [status] = await runProgram([...command, "--database=postgres", `--file=${file}`], {
    environment: clientEnvironment(),
    onLine: (line) => errors.push(line),
    signal,
  });
  signal.throwIfAborted();
  if (status === 0) return;
  throw new AgentError(errors.join("\n") || `pg_dumpall ended with status ${status ?? ""}`);
}

/** `pg_hba.conf` and `pg_ident.conf` as the server reads them, from any location. */
async function writeAccessRules(client: Client, folder: string): Promise<void> {
  const { rows } = await client.query<{ hba: string; ident: string }>(
    `SELECT pg_read_file(current_setting('hba_file')) AS hba, pg_read_file(current_setting('ident_file')) AS ident`,
  );
  const [files] = rows;
  await writeNew(path.join(folder, "pg_hba.conf"), files?.hba ?? "");
  await writeNew(path.join(folder, "pg_ident.conf"), files?.ident ?? "");
}

/** Parameters that differ from their defaults, and properties of databases that a plain dump lacks. */
async function writeParameters(client: Client, file: string): Promise<void> {
  const { rows: settings } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting, unit, source FROM pg_settings
     WHERE source NOT IN ('default', 'override', 'client', 'session') ORDER BY name COLLATE "C"`,
  );
  const { rows: databases } = await client.query(
    `SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
            d.datcollate AS collate, d.datctype AS ctype, d.datconnlimit AS "connectionLimit", d.datacl::text[] AS acl,
            shobj_description(d.oid, 'pg_database') AS comment,
            ARRAY(SELECT s FROM pg_db_role_setting r, unnest(r.setconfig) s
                  WHERE r.setdatabase = d.oid AND r.setrole = 0 AND s NOT LIKE 'stagecraft.%') AS settings
     FROM pg_database d WHERE NOT d.datistemplate ORDER BY d.datname COLLATE "C"`,
  );
  await writeNew(file, `${JSON.stringify({ settings, databases }, null, 2)}\n`);
}

/** The stack's state, if the CLI has sent it. */
async function copyState(target: string): Promise<void> {
  try {
    await copyFile(path.join(stateFolder, stateFile), target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600, flag: "wx" });
}
