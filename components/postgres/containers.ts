import type * as docker from "@pulumi/docker";
import type { ServerKind } from "../../model/base/names";
import type { EngineNames } from "../../model/base/engine-names";
import type { MemoryPlan } from "../../model/stack-file/memory";

/** What the container of an agent needs. */
export interface AgentParts {
  readonly server: string;
  readonly kind: ServerKind;
  readonly names: EngineNames;
  /** Tag of the image. */
  readonly image: string;
  readonly network: docker.Network;
  /** The agent's own state. */
  readonly store: docker.Volume;
  /** The server's backups. */
  readonly backups: docker.Volume;
  /** Data and sockets of the scratch container. */
  readonly scratch: docker.Volume;
}

/** What the two containers of a server share. */
export interface ClusterParts extends AgentParts {
  /** PostgreSQL's data. */
  readonly data: docker.Volume;
  /** PostgreSQL's Unix socket. */
  readonly run: docker.Volume;
  /** The WAL archive. */
  readonly archive: docker.Volume;
  /** The volume of another server's backups. */
  readonly backupsOf: string | undefined;
}

/** Arguments of PostgreSQL's container. */
export interface PostgresContainerArgs {
  /** The host's address that PostgreSQL is published on. */
  readonly address: string;
  readonly port: number;
  readonly memory: MemoryPlan;
  /** Defaults of PostgreSQL's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
}

const dataPath = "/var/lib/postgresql/data";
const socketPath = "/run/postgresql";
const archivePath = "/var/lib/pgbackrest";
const scratchPath = "/var/lib/scratch";

/** How long PostgreSQL may take to stop before the engine kills it. */
const stopSeconds = 120;

/** Processes of the containers' user on one engine: ten servers with all their connections in use. */
const mostProcesses = 4096;

/** Memory of the agent, in MB; it streams files of any size. */
const agentMemory = 1024;

/**
 * The agent's part of the processors beside PostgreSQL's 1024, where both want all of them: compressing a backup yields to
 * the application's queries. While the processors are idle, the agent may use all of them.
 */
const agentShares = 256;

/** PostgreSQL's container. */
export function postgresContainer(
  parts: ClusterParts,
  { address, port, memory, parameters }: PostgresContainerArgs,
): docker.ContainerArgs {
  return {
    ...inNetwork(parts),
    name: parts.names.postgres,
    command: ["stagecraft-postgres", ...toDefaults(parameters)],
    envs: [`STAGECRAFT_SERVER=${parts.server}`],
    ports: [{ internal: 5432, external: port, ip: address }],
    volumes: clusterVolumes(parts),
    memory: memory.container,
    // As Docker does by default; left out, it would show as drift.
    memorySwap: 2 * memory.container,
    shmSize: memory.sharedMemory,
    // SIGINT is PostgreSQL's fast shutdown; SIGKILL would mean crash recovery. PostgreSQL manual, 18.5.
    stopSignal: "SIGINT",
    stopTimeout: stopSeconds,
    destroyGraceSeconds: stopSeconds,
    healthcheck: healthcheck("pg_isready", "-q", "-h", socketPath),
    // Connections and DDL of production are logged: more room than for others, so that they are there when they are needed.
    ...rotatedLog({ megabytes: 20, files: 10 }),
  };
}

/** The agent's container, beside PostgreSQL's. */
export function agentContainer(parts: ClusterParts): docker.ContainerArgs {
  const { envs, volumes, ...agent } = anyAgent(parts);
  return {
    ...agent,
    envs: [
      ...envs,
      `STAGECRAFT_POSTGRES_HOST=${parts.names.postgres}`,
      // At preview the running agent may read another volume than the declared one.
      ...(parts.backupsOf === undefined ? [] : [`STAGECRAFT_SOURCE_VOLUME=${parts.backupsOf}`]),
    ],
    volumes: [...clusterVolumes(parts), ...volumes, ...sourceVolumes(parts)],
  };
}

/**
 * The scratch container: PostgreSQL runs there on what others have written, to check files and to verify backups. It has a
 * user of its own, no network, and no volume but its own: whatever code gets in finds nothing.
 */
export function scratchContainer(
  parts: Pick<AgentParts, "server" | "names" | "image" | "scratch">,
  memory: Pick<MemoryPlan, "container" | "sharedMemory">,
): docker.ContainerArgs {
  const { tmpfs, ...isolated } = isolation(parts.image);
  return {
    ...isolated,
    name: parts.names.scratch,
    command: ["stagecraft-agent", "scratch"],
    envs: [`STAGECRAFT_SERVER=${parts.server}`],
    user: "scratch",
    networkMode: "none",
    volumes: [mount(parts.scratch, scratchPath)],
    // Where the other containers have PostgreSQL's data, for copies of its configuration files.
    tmpfs: { ...tmpfs, [dataPath]: "uid=5434,gid=5434,mode=0700,size=256m" },
    memory: memory.container,
    memorySwap: 2 * memory.container,
    shmSize: memory.sharedMemory,
    cpuShares: agentShares,
    destroyGraceSeconds: 10,
    healthcheck: healthcheck("stagecraft-agent", "scratch-health"),
  };
}

/** The container of an agent whose PostgreSQL is somewhere else. */
export function externalAgentContainer(parts: AgentParts): docker.ContainerArgs {
  const { envs, ...agent } = anyAgent(parts);
  return { ...agent, envs: [...envs, "STAGECRAFT_COUPLING=external"] };
}

function anyAgent(parts: AgentParts) {
  return {
    ...inNetwork(parts),
    name: parts.names.agent,
    command: ["stagecraft-agent", "serve"],
    envs: [`STAGECRAFT_SERVER=${parts.server}`, `STAGECRAFT_KIND=${parts.kind}`],
    volumes: [
      mount(parts.store, "/var/lib/stagecraft"),
      mount(parts.backups, "/var/backups/stagecraft"),
      { ...mount(parts.scratch, scratchPath), readOnly: true },
    ],
    memory: agentMemory,
    memorySwap: 2 * agentMemory,
    cpuShares: agentShares,
    destroyGraceSeconds: 30,
    healthcheck: healthcheck("stagecraft-agent", "health"),
  };
}

function inNetwork({ image, network }: Pick<AgentParts, "image" | "network">) {
  return common(image, [{ name: network.name }]);
}

/** What all containers have in common, in networks. */
export function common(
  image: string,
  networksAdvanced: NonNullable<docker.ContainerArgs["networksAdvanced"]>,
) {
  return { ...isolation(image), networksAdvanced };
}

/** No capabilities, no privilege escalation, and only volumes are writable. */
function isolation(image: string) {
  return {
    image,
    // Not "unless-stopped": after a crash the engine stops running containers and treats them as stopped by an operator.
    restart: "always",
    readOnly: true,
    tmpfs: { "/tmp": "" },
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    // The provider has no process limit per container; this one counts all processes of the user on the engine.
    ulimits: [{ name: "nproc", soft: mostProcesses, hard: mostProcesses }],
    ...rotatedLog({ megabytes: 10, files: 3 }),
    // The volumes are resources of their own.
    removeVolumes: false,
  };
}

/**
 * The log of a container, which the engine rotates, so that no program in it can fill the host's disk: what a container
 * prints is on the host, outside the volumes, and anyone who may connect to PostgreSQL can write to its log. Of the drivers
 * that `docker logs` reads, `json-file` is the one that log shippers read, too.
 */
function rotatedLog({ megabytes, files }: { readonly megabytes: number; readonly files: number }) {
  return {
    logDriver: "json-file",
    logOpts: { "max-size": `${megabytes}m`, "max-file": `${files}` },
  };
}

/** Another server's backups, read-only. */
function sourceVolumes({ backupsOf }: ClusterParts): docker.types.input.ContainerVolume[] {
  if (backupsOf === undefined) return [];
  return [{ volumeName: backupsOf, containerPath: "/var/backups/source", readOnly: true }];
}

/** Volumes that both containers of a server mount. */
function clusterVolumes({
  data,
  run,
  archive,
}: ClusterParts): docker.types.input.ContainerVolume[] {
  return [mount(data, dataPath), mount(run, socketPath), mount(archive, archivePath)];
}

function mount(volume: docker.Volume, containerPath: string): docker.types.input.ContainerVolume {
  return { volumeName: volume.name, containerPath };
}

function healthcheck(...command: readonly string[]): docker.types.input.ContainerHealthcheck {
  return {
    tests: ["CMD", ...command],
    // Each check starts a process in the container.
    interval: "10s",
    timeout: "5s",
    retries: 3,
    startPeriod: "1m0s",
  };
}

/** Parameters in the form that images/stagecraft-postgres expects. */
function toDefaults(parameters: Readonly<Record<string, string>>): string[] {
  return Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
}
