import type { Client } from "pg";
import type { PgHbaObservation } from "../../../model/pg-hba/rule/protocol";
import { isExternal } from "../../postgres/external-connection";
import { sha256Of } from "../../system/digest";
import { AgentError } from "../../system/errors";
import { readMaps } from "./maps-file";
import { readIncludedFiles } from "./included-files";
import { HbaFile } from "./hba-file";

/** Observes the rules on disk, for a preview to compare with the desired ones; an empty text when the file is missing. */
export async function observePgHba(client: Client): Promise<PgHbaObservation> {
  if (isExternal) return observationOf(client, await readExternalFile(client));
  try {
    const file = await HbaFile.of(client);
    const observed = {
      ...(await observationOf(client, await file.read())),
      maps: await readMaps(),
    };
    return observed.text === "" ? observed : { ...observed, loaded: await file.isLoaded(client) };
  } catch (error) {
    // There is something else in its place, which the next change names.
    if (error instanceof AgentError) return observationOf(client, Buffer.alloc(0));
    throw error;
  }
}

async function observationOf(client: Client, bytes: Buffer): Promise<PgHbaObservation> {
  const text = bytes.toString("utf8");
  const included = await readIncludedFiles(client, text);
  return { text, sha256: sha256Of(bytes), ...(included && { included }) };
}

/** Reads the file of an external server by SQL, as a superuser. PostgreSQL manual, 9.28.9. */
export async function readExternalFile(client: Client): Promise<Buffer> {
  const { rows } = await client.query<{ bytes: Buffer | null }>(
    "SELECT pg_read_binary_file(current_setting('hba_file'), 0, 67108864, true) AS bytes",
  );
  return rows[0]?.bytes ?? Buffer.alloc(0);
}
