import type { Client } from "pg";
import type { PgHbaObservation } from "../../../model/pg-hba/rule/protocol";
import { isExternal } from "../../postgres/external-connection";
import { sha256Of } from "../../system/digest";
import { AgentError } from "../../system/errors";
import { HbaFile } from "./hba-file";

/** Observes the rules on disk, for a preview to compare with the desired ones; an empty text when the file is missing. */
export async function observePgHba(client: Client): Promise<PgHbaObservation> {
  const bytes = isExternal ? await readExternalFile(client) : await readOwnFile(client);
  return { text: bytes.toString("utf8"), sha256: sha256Of(bytes) };
}

/** Reads the file; empty when there is something else in its place, which the next change names. */
async function readOwnFile(client: Client): Promise<Buffer> {
  try {
    return await (await HbaFile.of(client)).read();
  } catch (error) {
    if (error instanceof AgentError) return Buffer.alloc(0);
    throw error;
  }
}

/** Reads the file of an external server by SQL, as a superuser. PostgreSQL manual, 9.28.9. */
export async function readExternalFile(client: Client): Promise<Buffer> {
  const { rows } = await client.query<{ bytes: Buffer | null }>(
    "SELECT pg_read_binary_file(current_setting('hba_file'), 0, 67108864, true) AS bytes",
  );
  return rows[0]?.bytes ?? Buffer.alloc(0);
}
