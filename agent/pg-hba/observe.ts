import { createHash } from "node:crypto";
import type { Client } from "pg";
import type { PgHbaObservation } from "../../model/pg-hba/protocol";
import { HbaFile } from "./file";

/** The rules on disk, for a preview to compare with the wanted ones; an empty text when the file is not there. */
export async function observePgHba(client: Client): Promise<PgHbaObservation> {
  const bytes = await (await HbaFile.of(client)).read();
  return { text: bytes.toString("utf8"), sha256: createHash("sha256").update(bytes).digest("hex") };
}
