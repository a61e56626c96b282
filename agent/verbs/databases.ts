import type { z } from "zod";
import { databasesResultSchema } from "../../model/restore/protocol";
import { listDatabases } from "../postgres/databases";
import { withConnection } from "../postgres/connect";

/** Tells of the server's databases. */
export async function databases(): Promise<z.infer<typeof databasesResultSchema>> {
  return databasesResultSchema.parse({
    databases: await withConnection("postgres", listDatabases),
  });
}
