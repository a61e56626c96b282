import type * as docker from "@pulumi/docker";
import type { ServerKind } from "../../model/base/names";
import type { EngineNames } from "../../model/base/engine-names";
import type { MemoryPlan } from "../../model/stack-file/memory";

/** Where an agent is. */
export interface AgentPlace {
  readonly server: string;
  readonly kind: ServerKind;
  readonly names: EngineNames;
  /** Its tag. */
  readonly image: string;
  readonly network: docker.Network;
  /** What the agent keeps. */
  readonly store: docker.Volume;
  /** The server's backups. */
  readonly backups: docker.Volume;
}

/** What the two containers of a server share. */
export interface Place extends AgentPlace {
  /** PostgreSQL's data. */
  readonly data: docker.Volume;
  /** PostgreSQL's Unix socket. */
  readonly run: docker.Volume;
  /** What PostgreSQL archives as it writes. */
  readonly archive: docker.Volume;
  /** The volume of another server's backups. */
  readonly backupsOf: string | undefined;
}

/** What PostgreSQL's container is made of, beside its place. */
export interface PostgresContainerArgs {
  /** The address of the host where PostgreSQL answers. */
  readonly address: string;
  readonly port: number;
  readonly memory: MemoryPlan;
  /** Defaults of PostgreSQL's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
}

const dataPath = "/var/lib/postgresql/data";
const socketPath = "/run/postgresql";
const archivePath = "/var/lib/pgbackrest";

/** How long PostgreSQL may take to stop before the engine kills it. */
const stopSeconds = 120;

/** Processes of the containers' user on one engine: ten servers with all their connections in use. */
const mostProcesses = 4096;

/** Memory of the agent, in MB; what it reads goes through in pieces, whatever its size. */
const agentMemory = 1024;

/**
 * The agent's part of the processors beside PostgreSQL's 1024, where both want all of them: packing a backup gives way to
 * the application's queries. Alone, it takes what it can.
 */
const agentShares = 256;

/** PostgreSQL's container. */
export function postgresContainer(
  place: Place,
  { address, port, memory, parameters }: PostgresContainerArgs,
): docker.ContainerArgs {
  return {
    ...inNetwork(place),
    name: place.names.postgres,
    command: ["stagecraft-postgres", ...toDefaults(parameters)],
    envs: [`STAGECRAFT_SERVER=${place.server}`],
    ports: [{ internal: 5432, external: port, ip: address }],
    volumes: clusterVolumes(place),
    memory: memory.container,
    // As Docker does by default; left out, it would show as drift.
    memorySwap: 2 * memory.container,
    shmSize: memory.sharedMemory,
    // SIGINT is PostgreSQL's fast shutdown; SIGKILL would mean crash recovery. PostgreSQL manual, 18.5.
    stopSignal: "SIGINT",
    stopTimeout: stopSeconds,
    destroyGraceSeconds: stopSeconds,
    healthcheck: healthcheck("pg_isready", "-q", "-h", socketPath),
  };
}

/** The agent's container, beside PostgreSQL's. */
export function agentContainer(place: Place): docker.ContainerArgs {
  const { envs, volumes, ...agent } = anyAgent(place);
  return {
    ...agent,
    envs: [
      ...envs,
      `STAGECRAFT_POSTGRES_HOST=${place.names.postgres}`,
      // A preview asks the agent that is there, which may read another volume than the one that is wanted.
      ...(place.backupsOf === undefined ? [] : [`STAGECRAFT_SOURCE_VOLUME=${place.backupsOf}`]),
    ],
    volumes: [...clusterVolumes(place), ...volumes, ...sourceVolumes(place)],
  };
}

/** The container of an agent whose PostgreSQL is somewhere else. */
export function externalAgentContainer(place: AgentPlace): docker.ContainerArgs {
  const { envs, ...agent } = anyAgent(place);
  return { ...agent, envs: [...envs, "STAGECRAFT_COUPLING=external"] };
}

function anyAgent(place: AgentPlace) {
  return {
    ...inNetwork(place),
    name: place.names.agent,
    command: ["stagecraft-agent", "serve"],
    envs: [`STAGECRAFT_SERVER=${place.server}`, `STAGECRAFT_KIND=${place.kind}`],
    volumes: [
      mount(place.store, "/var/lib/stagecraft"),
      mount(place.backups, "/var/backups/stagecraft"),
    ],
    memory: agentMemory,
    memorySwap: 2 * agentMemory,
    cpuShares: agentShares,
    destroyGraceSeconds: 30,
    healthcheck: healthcheck("stagecraft-agent", "health"),
  };
}

function inNetwork({ image, network }: Pick<AgentPlace, "image" | "network">) {
  return common(image, [{ name: network.name }]);
}

/** No capability, no way to more rights, and nothing to write to but the volumes. */
export function common(
  image: string,
  networksAdvanced: NonNullable<docker.ContainerArgs["networksAdvanced"]>,
) {
  return {
    image,
    networksAdvanced,
    // Not "unless-stopped": an engine that crashed stops what still runs when it is back, and takes it for stopped by hand.
    restart: "always",
    readOnly: true,
    tmpfs: { "/tmp": "" },
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    // The provider knows no limit of processes for a container; this one is for its user, in all servers of an engine.
    ulimits: [{ name: "nproc", soft: mostProcesses, hard: mostProcesses }],
    // The volumes are resources of their own.
    removeVolumes: false,
  };
}

/** Another server's backups, which this one only reads. */
function sourceVolumes({ backupsOf }: Place): docker.types.input.ContainerVolume[] {
  if (backupsOf === undefined) return [];
  return [{ volumeName: backupsOf, containerPath: "/var/backups/source", readOnly: true }];
}

/** What both containers of a server see. */
function clusterVolumes({ data, run, archive }: Place): docker.types.input.ContainerVolume[] {
  return [mount(data, dataPath), mount(run, socketPath), mount(archive, archivePath)];
}

function mount(volume: docker.Volume, containerPath: string): docker.types.input.ContainerVolume {
  return { volumeName: volume.name, containerPath };
}

function healthcheck(...command: readonly string[]): docker.types.input.ContainerHealthcheck {
  return {
    tests: ["CMD", ...command],
    // Each question is a process in the container, day and night.
    interval: "10s",
    timeout: "5s",
    retries: 3,
    startPeriod: "1m0s",
  };
}

/** Settings as images/stagecraft-postgres takes them. */
function toDefaults(parameters: Readonly<Record<string, string>>): string[] {
  return Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
}
