import type * as docker from "@pulumi/docker";
import type { ApplicationConfig } from "../../model/stack-file/application";
import type { EngineNames } from "../../model/base/engine-names";
import { parseBytes } from "../../model/base/units";
import { common } from "../postgres/containers";

/** What the container of an application needs. */
export interface ApplicationParts {
  readonly server: string;
  readonly names: EngineNames;
  readonly settings: ApplicationConfig;
  /** The image's name. */
  readonly image: string;
  readonly revision: string;
  readonly network: NonNullable<docker.ContainerArgs["networksAdvanced"]>;
  /** The volume with {@link applicationFiles}. */
  readonly files: docker.Volume;
  /** The database, and the application's role. */
  readonly database: string;
  /** Whether the server certificate was issued by its own CA. */
  readonly ownCertificate: boolean;
}

/** Folder with the password and the CA of the server certificate. */
const folder = "/run/stagecraft";
/** Names of the files there, as put-files.sh writes them. */
const applicationFiles = { password: "pgpass", ca: "ca.crt" };

/** Seconds that the application may take to stop before the engine kills it. */
export const stopSeconds = 10;

/** The application's container: restricted like the server's others, with a user of its own. */
export function applicationContainer(parts: ApplicationParts): docker.ContainerArgs {
  const { names, image, network, settings, files } = parts;
  const { user, port, internalPort, healthCommand } = settings;
  const memory = Math.floor((parseBytes(settings.memory) ?? 0) / 2 ** 20);
  return {
    ...common(image, network),
    name: names.application,
    user: `${user}:${user}`,
    // Forwards signals and reaps processes: most programs do neither as process 1.
    init: true,
    envs: environment(parts),
    ports: [{ internal: internalPort, external: port, ip: "127.0.0.1" }],
    volumes: [{ volumeName: files.name, containerPath: folder, readOnly: true }],
    memory,
    memorySwap: 2 * memory,
    stopTimeout: stopSeconds,
    destroyGraceSeconds: stopSeconds,
    ...(healthCommand !== undefined && { healthcheck: healthcheck(healthCommand) }),
  };
}

function environment(parts: ApplicationParts): string[] {
  const { server, names, revision, settings, database, ownCertificate } = parts;
  const { environment = {}, internalPort } = settings;
  // PostgreSQL manual, 32.15.
  const given = {
    ...{ PGHOST: names.postgres, PGPORT: 5432, PGDATABASE: database, PGUSER: database },
    PGPASSFILE: `${folder}/${applicationFiles.password}`,
    // A custom certificate need not contain the name that is known in this network only.
    PGSSLMODE: ownCertificate ? "verify-full" : "require",
    ...(ownCertificate && { PGSSLROOTCERT: `${folder}/${applicationFiles.ca}` }),
    ...{ PORT: internalPort, STAGECRAFT_SERVER: server, STAGECRAFT_REVISION: revision },
  };
  return Object.entries({ ...environment, ...given }).map(([name, value]) => `${name}=${value}`);
}

function healthcheck(command: string): docker.types.input.ContainerHealthcheck {
  const times = { interval: "2s", timeout: "5s", retries: 3, startPeriod: "1m0s" };
  return { tests: ["CMD-SHELL", command], ...times };
}
