import type * as docker from "@pulumi/docker";
import type { ApplicationConfig } from "../../model/stack-file/application";
import type { EngineNames } from "../../model/base/engine-names";
import { parseBytes } from "../../model/base/units";
import { common } from "../postgres/containers";

/** What the container of an application is made for. */
export interface ApplicationPlace {
  readonly server: string;
  readonly names: EngineNames;
  readonly settings: ApplicationConfig;
  /** The image's name. */
  readonly image: string;
  readonly revision: string;
  readonly network: NonNullable<docker.ContainerArgs["networksAdvanced"]>;
  /** The volume with {@link applicationFiles}. */
  readonly files: docker.Volume;
  /** The database, and the role that the application is there. */
  readonly database: string;
  /** Whether the server's certificate is one of its own CA. */
  readonly ownCertificate: boolean;
}

/** Where the application finds its password and what it checks the server's certificate with. */
const folder = "/run/stagecraft";
/** Names of the files there. */
export const applicationFiles = { password: "pgpass", ca: "ca.crt" };

/** How long the application may take to end before the engine kills it. */
export const stopSeconds = 10;

/** The application's container: with the rights of the server's others, and a user of its own. */
export function applicationContainer(place: ApplicationPlace): docker.ContainerArgs {
  const { names, image, network, settings, files } = place;
  const { user, port, internalPort, healthCommand } = settings;
  const memory = Math.floor((parseBytes(settings.memory) ?? 0) / 2 ** 20);
  return {
    ...common(image, network),
    name: names.application,
    user: `${user}:${user}`,
    // It passes signals on and buries processes: most programs do neither when they are the first one.
    init: true,
    envs: environment(place),
    ports: [{ internal: internalPort, external: port, ip: "127.0.0.1" }],
    volumes: [{ volumeName: files.name, containerPath: folder, readOnly: true }],
    memory,
    memorySwap: 2 * memory,
    // Its log is read when the database has other contents, and must not fill the disk.
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    stopTimeout: stopSeconds,
    destroyGraceSeconds: stopSeconds,
    ...(healthCommand !== undefined && { healthcheck: healthcheck(healthCommand) }),
  };
}

function environment(place: ApplicationPlace): string[] {
  const { server, names, revision, settings, database, ownCertificate } = place;
  const { environment = {}, internalPort } = settings;
  // PostgreSQL manual, 32.15.
  const given = {
    ...{ PGHOST: names.postgres, PGPORT: 5432, PGDATABASE: database, PGUSER: database },
    PGPASSFILE: `${folder}/${applicationFiles.password}`,
    // A certificate from somewhere else need not have the name that only this network knows.
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
