import { observationSchema, type Observation } from "../../model/observation/observation";
import { localHost } from "../../model/base/host";
import type { ServerKind } from "../../model/base/names";
import { askAgent, inspectContainers, type Container } from "./docker";
import { lastChange, type StackChange } from "../pulumi/history";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { stackKinds, type StackName } from "../project/stacks";

/** How a server is, in one word. */
export type ServerState =
  "running" | "starting" | "unhealthy" | "stopped" | "incomplete" | "not there" | "out of reach";

/** Everything `stagecraft status` knows of one server. */
export interface ServerStatus {
  readonly stack: StackName;
  readonly kind: ServerKind;
  /** Where it runs: `local` or an address. */
  readonly host: string;
  readonly state: ServerState;
  /** What is not as it should be with its containers, one sentence each. */
  readonly faults: readonly string[];
  /** Published addresses of PostgreSQL. */
  readonly addresses: readonly string[];
  /** The container of its application, where it has one. */
  readonly application?: Container | undefined;
  readonly observation: Observation | undefined;
  readonly lastChange: StackChange | undefined;
}

/** Looks at some servers, all at once: at their engines, agents and histories; no Pulumi program runs. */
export async function inspectServers(
  folder: string,
  stacks: readonly StackName[],
): Promise<ServerStatus[]> {
  const files = stacks.map((stack) => ({ stack, ...readStackFile(folder, stack) }));
  const hosts = [...new Set(files.map(({ host }) => host))];
  const found = await Promise.all(
    hosts.map(async (host) => {
      const names = files.filter((file) => file.host === host).map((file) => file.names);
      const wanted = names.flatMap(({ postgres, agent, application }) => [
        ...[postgres, agent, application],
      ]);
      return [host, await containersOn(host, wanted)] as const;
    }),
  );
  const containers = new Map(found);
  return Promise.all(
    files.map(async ({ stack, host, names }) => {
      const there = containers.get(host) ?? new Map<string, Container>();
      if (there instanceof Problem) return unreachableServer(folder, stack, host, there);
      const { postgres, agent, application } = names;
      const own = { postgres: there.get(postgres), agent: there.get(agent) };
      return {
        ...(await inspectServer(folder, stack, host, own)),
        application: there.get(application),
      };
    }),
  );
}

/** By their names. Another machine that cannot be reached hides no server but its own. */
async function containersOn(
  host: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Container> | Problem> {
  try {
    const containers = await inspectContainers(host, names);
    return new Map(containers.map((container) => [container.name, container]));
  } catch (error) {
    if (error instanceof Problem && host !== localHost) return error;
    throw error;
  }
}

async function unreachableServer(
  folder: string,
  stack: StackName,
  host: string,
  { message, fix = [] }: Problem,
): Promise<ServerStatus> {
  return {
    ...{ stack, host, kind: stackKinds[stack], state: "out of reach", addresses: [] },
    faults: [[message, fix].flat().join("; ")],
    observation: undefined,
    lastChange: await lastChange(folder, stack),
  };
}

interface ServerContainers {
  readonly postgres: Container | undefined;
  readonly agent: Container | undefined;
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
    bothRun ? observe(host, agent.name).catch(noteFault(faults)) : undefined,
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

async function observe(host: string, agent: string): Promise<Observation> {
  return observationSchema.parse(JSON.parse(await askAgent(host, agent, "observe")));
}

function noteFault(faults: string[]): (error: Error) => undefined {
  return ({ message }) => {
    faults.push(message);
    return undefined;
  };
}

/** How a server is, from its two containers. */
export function serverState({ postgres, agent }: ServerContainers): ServerState {
  if (!postgres && !agent) return "not there";
  if (!postgres || !agent) return "incomplete";
  if (postgres.state !== "running" || agent.state !== "running") return "stopped";
  const health = [postgres.health, agent.health];
  if (health.includes("unhealthy")) return "unhealthy";
  return health.includes("starting") ? "starting" : "running";
}

function containerFaults({ postgres, agent }: ServerContainers): string[] {
  if (!postgres && !agent) return [];
  const parts = [
    ["PostgreSQL", postgres],
    ["the agent", agent],
  ] as const;
  return parts.flatMap(([name, container]) => {
    if (!container) return [`${name}'s container is not there`];
    if (container.state !== "running") {
      const status = container.state === "exited" ? ` with status ${container.exitCode}` : "";
      return [`${name}'s container ${container.name} is ${container.state}${status}`];
    }
    return container.health === "unhealthy" ? [`${name} (${container.name}) is unhealthy`] : [];
  });
}
