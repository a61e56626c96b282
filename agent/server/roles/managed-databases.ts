import type { Client } from "pg";
import { isPreviousVersionName } from "../../../model/base/names";
import type { DatabaseFacts } from "../../../model/restore/protocol";
import { listDatabases } from "../../postgres/databases";

/** The databases that Stagecraft restored, without previous versions. */
export async function managedDatabases(client: Client): Promise<DatabaseFacts[]> {
  const databases = await listDatabases(client);
  return databases.filter(({ stamp, name }) => stamp !== null && !isPreviousVersionName(name));
}
