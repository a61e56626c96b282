import type { Observation } from "../../model/observation/observation";
import type { EngineNames } from "../../model/base/engine-names";
import { localHost } from "../../model/base/host";
import type { ServerKind } from "../../model/base/names";
import { call } from "../../engine/agent-client";
import {
  existingVolumes,
  inspectContainers,
  type Container,
  type ContainerLog,
} from "../../engine/containers";
import { EngineProblem } from "../../engine/problems";
import { lastChange, type StackChange } from "../pulumi/history";
import { readStackFile } from "../project/stack-file";
import { stackKinds, type StackName } from "../project/stacks";

/** State of a server. */
export type ServerState =
  "running" | "starting" | "unhealthy" | "stopped" | "incomplete" | "not there" | "out of reach";

/** Everything `stagecraft status` shows of one server. */
export interface ServerStatus {
  readonly stack: StackName;
  readonly kind: ServerKind;
  /** Where it runs: `local` or an address. */
  readonly host: string;
  readonly state: ServerState;
  /** Problems of its containers, a sentence each. */
  readonly faults: readonly string[];
  /** Published addresses of PostgreSQL. */
  readonly addresses: readonly string[];
  /** The container of its application; `undefined` if it has none. */
  readonly application?: Container | undefined;
  /** The logs of its containers on the engine. */
  readonly logs?: readonly NamedLog[];
  /** Volumes that are left of a server that does not exist. */
  readonly volumes?: readonly string[];
  readonly observation: Observation | undefined;
  readonly lastChange: StackChange | undefined;
}

/** The log of a container. */
export interface NamedLog extends ContainerLog {
  readonly container: string;
}

/** Inspects servers in parallel: their engines, agents and histories. Runs no Pulumi program. */
export async function inspectServers(
  folder: string,
  stacks: readonly StackName[],
): Promise<ServerStatus[]> {
  const files = stacks.map((stack) => ({ stack, ...readStackFile(folder, stack) }));
  const hosts = [...new Set(files.map(({ host }) => host))];
  const found = await Promise.all(
    hosts.map(async (host) => {
      const names = files.filter((file) => file.host === host).map((file) => file.names);
      const containerNames = names.flatMap(({ postgres, agent, scratch, application }) => [
        ...[postgres, agent, scratch],
        application,
      ]);
      return [host, await containersOn(host, containerNames)] as const;
    }),
  );
  const containers = new Map(found);
  return Promise.all(
    files.map(async ({ stack, host, names }) => {
      const onHost = containers.get(host) ?? new Map<string, Container>();
      if (onHost instanceof EngineProblem) return unreachableServer(folder, stack, host, onHost);
      const { postgres, agent, scratch, application } = names;
      const own = {
        postgres: onHost.get(postgres),
        agent: onHost.get(agent),
        scratch: onHost.get(scratch),
      };
      const status = await inspectServer(folder, stack, host, own);
      const left =
        status.state === "not there" ? await existingVolumes(host, volumesOfServer(names)) : [];
      return {
        ...status,
        ...(left.length > 0 && { volumes: left }),
        application: onHost.get(application),
        logs: logsOf([own.postgres, own.agent, own.scratch, onHost.get(application)]),
      };
    }),
  );
}

/** Names of the volumes of a server, those with data first. */
export function volumesOfServer(names: EngineNames): string[] {
  const { dataVolume, runVolume, agentVolume, backupsVolume, archiveVolume, scratchVolume } = names;
  return [dataVolume, agentVolume, backupsVolume, archiveVolume, runVolume, scratchVolume];
}

function logsOf(containers: readonly (Container | undefined)[]): NamedLog[] {
  return containers.flatMap((container) =>
    container?.log ? [{ container: container.name, ...container.log }] : [],
  );
}

/** The containers of a host by name, or the problem of another machine that cannot be reached: other hosts' servers are still shown. */
async function containersOn(
  host: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Container> | EngineProblem> {
  try {
    const containers = await inspectContainers(host, names);
    return new Map(containers.map((container) => [container.name, container]));
  } catch (error) {
    if (error instanceof EngineProblem && host !== localHost) return error;
    throw error;
  }
}

async function unreachableServer(
  folder: string,
  stack: StackName,
  host: string,
  { message, fix }: EngineProblem,
): Promise<ServerStatus> {
  return {
    stack,
    host,
    kind: stackKinds[stack],
    state: "out of reach",
    addresses: [],
    faults: [fix === undefined ? message : `${message}; ${fix}`],
    observation: undefined,
    lastChange: await lastChange(folder, stack),
  };
}

interface ServerContainers {
  readonly postgres: Container | undefined;
  readonly agent: Container | undefined;
  readonly scratch: Container | undefined;
}

async function inspectServer(
  folder: string,
  stack: StackName,
  host: string,
  containers: ServerContainers,
): Promise<ServerStatus> {
  const { postgres, agent } = containers;
  const faults = containerFaults(containers);
  const bothRun = postgres?.state === "running" && agent?.state === "running";
  const [observation, change] = await Promise.all([
    bothRun ? call({ host, agent: agent.name }, "observe", {}).catch(noteFault(faults)) : undefined,
    lastChange(folder, stack),
  ]);
  return {
    stack,
    host,
    kind: stackKinds[stack],
    state: serverState(containers),
    faults,
    addresses: [...new Set(postgres?.ports)],
    observation,
    lastChange: change,
  };
}

function noteFault(faults: string[]): (error: Error) => undefined {
  return ({ message }) => {
    faults.push(`the agent does not answer: ${message}`);
    return undefined;
  };
}

/** State of a server, from the two containers without which it does nothing. */
export function serverState({ postgres, agent }: Omit<ServerContainers, "scratch">): ServerState {
  if (!postgres && !agent) return "not there";
  if (!postgres || !agent) return "incomplete";
  if (postgres.state !== "running" || agent.state !== "running") return "stopped";
  const health = [postgres.health, agent.health];
  if (health.includes("unhealthy")) return "unhealthy";
  return health.includes("starting") ? "starting" : "running";
}

function containerFaults({ postgres, agent, scratch }: ServerContainers): string[] {
  if (!postgres && !agent) return [];
  const parts = [
    ["PostgreSQL", postgres],
    ["the agent", agent],
    ["the scratch server", scratch],
  ] as const;
  return parts.flatMap(([name, container]) => {
    if (!container) return [`${name}'s container is missing`];
    if (container.state !== "running") {
      const { state, exitCode } = container;
      const text = state === "exited" ? `has exited with status ${exitCode}` : `is ${state}`;
      return [`${name}'s container ${container.name} ${text}`];
    }
    return container.health === "unhealthy" ? [`${name} (${container.name}) is unhealthy`] : [];
  });
}
