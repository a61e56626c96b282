import type { Observation } from "../../model/protocol";
import { version } from "../../model/version";
import { listDatabases } from "../databases";
import { withConnection } from "../postgres";
import { dataFolder, freeBytes } from "../restore/space";
import { newestReport, readGeneration } from "../store";

/** Tells what is there, and changes nothing. */
export async function observe(server: string): Promise<Observation> {
  return withConnection("postgres", async (client) => {
    const { rows } = await client.query<{ postgres: string; system: string }>(
      `SELECT current_setting('server_version') AS postgres,
              (SELECT system_identifier::text FROM pg_control_system()) AS system`,
    );
    const [facts] = rows;
    return {
      server,
      agentVersion: version,
      postgresVersion: facts?.postgres.split(" ")[0] ?? "",
      systemIdentifier: facts?.system ?? "",
      generation: await readGeneration(),
      databases: await listDatabases(client),
      freeBytes: await freeBytes(await dataFolder(client)),
      lastRestore: await newestReport(),
    };
  });
}
