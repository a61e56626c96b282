import { observationSchema, type Observation } from "../model/observation";
import type { ServerKind } from "../model/names";
import { askAgent, inspectContainers, type Container } from "./docker";
import { lastChange, type Change } from "./history";
import { readStackFile } from "./project";
import { stackKinds, type StackName } from "./stacks";

/** How a server is, in one word. */
export type ServerState =
  "running" | "starting" | "unhealthy" | "stopped" | "incomplete" | "not there";

/** Everything `stagecraft status` knows of one server. */
export interface ServerStatus {
  readonly stack: StackName;
  readonly kind: ServerKind;
  readonly state: ServerState;
  /** What is not as it should be with its containers, one sentence each. */
  readonly faults: readonly string[];
  /** Published addresses of PostgreSQL. */
  readonly addresses: readonly string[];
  readonly observation: Observation | undefined;
  readonly lastChange: Change | undefined;
}

/** Looks at some servers, all at once: at the engine, their agents and their histories; no Pulumi program runs. */
export async function lookAtServers(
  folder: string,
  stacks: readonly StackName[],
): Promise<ServerStatus[]> {
  const names = new Map(stacks.map((stack) => [stack, readStackFile(folder, stack).names]));
  const wanted = [...names.values()].flatMap(({ postgres, agent }) => [postgres, agent]);
  const containers = new Map(
    (await inspectContainers(wanted)).map((container) => [container.name, container]),
  );
  return Promise.all(
    [...names].map(async ([stack, { postgres, agent }]) =>
      lookAtServer(folder, stack, {
        postgres: containers.get(postgres),
        agent: containers.get(agent),
      }),
    ),
  );
}

interface ServerContainers {
  readonly postgres: Container | undefined;
  readonly agent: Container | undefined;
}

async function lookAtServer(
  folder: string,
  stack: StackName,
  containers: ServerContainers,
): Promise<ServerStatus> {
  const { postgres, agent } = containers;
  const faults = containerFaults(containers);
  const bothRun = postgres?.state === "running" && agent?.state === "running";
  const [observation, change] = await Promise.all([
    bothRun ? observe(agent.name).catch(noteFault(faults)) : undefined,
    lastChange(folder, stack),
  ]);
  return {
    stack,
    kind: stackKinds[stack],
    state: serverState(containers),
    faults,
    addresses: [...new Set(postgres?.ports)],
    observation,
    lastChange: change,
  };
}

async function observe(agent: string): Promise<Observation> {
  return observationSchema.parse(JSON.parse(await askAgent(agent, "observe")));
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
