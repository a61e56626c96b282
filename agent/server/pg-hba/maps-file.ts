import path from "node:path";
import type { Client } from "pg";
import { effectiveMaps } from "../../../model/pg-hba/text/maps";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { AgentError } from "../../system/errors";
import { dataFolder } from "../parameters/config-files";

const file = path.join(dataFolder, "pg_ident.conf");

/** The contents of `pg_ident.conf`; empty when it is missing. */
export async function readMaps(): Promise<string> {
  return (await readTextIfExists(file)) ?? "";
}

/** Replaces `pg_ident.conf`; PostgreSQL reads it at the next reload. */
export async function writeMaps(text: string): Promise<void> {
  await writeFileAtomically(file, text);
}

/** Whether `pg_ident.conf` has other lines than requested. Throws an {@link AgentError} when PostgreSQL reads another file. */
export async function areMapsDifferent(client: Client, text: string): Promise<boolean> {
  const { rows } = await client.query<{ file: string }>(
    "SELECT pg_catalog.current_setting('ident_file') AS file",
  );
  const setting = rows[0]?.file ?? "";
  if (setting !== file)
    throw new AgentError(
      `PostgreSQL reads its user name maps from ${setting} instead of ${file}; remove ident_file from its parameters and restart it`,
    );
  return effectiveMaps(await readMaps()).join("\n") !== effectiveMaps(text).join("\n");
}
