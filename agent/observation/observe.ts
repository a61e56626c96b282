import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import type { Observation } from "../../model/observation/observation";
import { version } from "../../model/base/version";
import { observeApplication } from "../server/application/stored-application";
import { observeBackups } from "../backup/observe";
import { listDatabases } from "../postgres/databases";
import { now } from "../system/clock";
import { readGenerations } from "../server/applied-generations";
import { observePgHba } from "../server/pg-hba/observe";
import { observeArchive } from "../recovery/observe";
import { withConnection } from "../postgres/connect";
import { freeDataBytes } from "../postgres/free-space";
import { observeRoles } from "../server/roles/observe";
import { observeParameters } from "../server/parameters/observe";
import { readGeneration } from "../system/restore-generation";
import { latestReport } from "../system/restore-reports";
import { observeTls } from "../server/tls/observe";
import { observeConnection } from "../server/connection/connection";

/** Observes the server: its databases, configuration, backups and application. Read-only. */
export async function observe(server: string): Promise<Observation> {
  const application = observeApplication();
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
      freeBytes: await freeDataBytes(client),
      lastRestore: await latestReport(),
      generations: await readGenerations(),
      interfaces: interfacesOf(networkInterfaces()),
      connection: await observeConnection(client),
      settings: await observeParameters(client),
      roles: await observeRoles(client),
      tls: await observeTls(client),
      pgHba: await observePgHba(client),
      archive: await observeArchive(client, server),
      backups: await observeBackups(client, now()),
      application: await application,
    };
  });
}

/** Addresses in the networks of the agent, which are the server's, with prefix lengths. */
function interfacesOf(interfaces: Readonly<NodeJS.Dict<NetworkInterfaceInfo[]>>): string[] {
  return Object.values(interfaces).flatMap((addresses = []) =>
    addresses.flatMap(({ cidr, internal }) => (cidr === null || internal ? [] : [cidr])),
  );
}
