import { z } from "zod";
import type { Observation } from "../../model/observation/observation";
import { localHost } from "../../model/base/host";
import { engineLabels, type EngineNames } from "../../model/base/engine-names";
import { call } from "../../engine/agent-client";
import { engineFailure } from "../../engine/problems";
import { docker } from "../../engine/run";
import { startupErrors } from "../../model/parameters/startup-errors";

/**
 * How long docker or the agent may take. Without the answer a preview continues, and shows changes that are not needed: only
 * an engine or agent that hangs may take so long, not a busy machine.
 */
const timeoutMs = 30_000;

/** Label with the creation time of a part of a server. */
export const createdLabel = "stagecraft.made";

/** The parts that are recreated when they are missing or not running. */
export const replaceableParts = ["network", "postgres", "agent", "scratch"] as const;
export type ReplaceablePart = (typeof replaceableParts)[number];

/** The state of a server on its engine. */
export interface ObservedState {
  /** Creation time of each part: the value of its {@link createdLabel}. A part that is missing or stopped gets a new value, and so is replaced. */
  readonly createdAt: Readonly<Record<ReplaceablePart, string>>;
  /** What is wrong, a sentence each; empty for a server that does not exist yet. */
  readonly faults: readonly string[];
  /** What the agent observes; `undefined` while it does not answer. */
  readonly observation: Observation | undefined;
  /**
   * Whether PostgreSQL's container restarts again and again. It is not recreated, because the provider fails for a container that
   * ends at once; the commands are called, and the first one restores access rules with which PostgreSQL starts.
   */
  readonly isFailing?: boolean;
}

/** The parts of a server whose PostgreSQL is somewhere else. */
export const agentParts = [
  "network",
  "agent",
  "scratch",
] as const satisfies readonly ReplaceablePart[];

/** Observations started ahead, by host and network. */
const prefetched = new Map<string, Promise<ObservedState>>();

/** Starts to observe a server before {@link observeServer} needs the answer. */
export function prefetchObservedState(names: EngineNames, host: string): void {
  prefetched.set(`${host} ${names.network}`, observeNow(names, host, replaceableParts));
}

/**
 * Observes a server. Pulumi's state records what Pulumi created, not how it is now. Asking the providers (`--refresh`) costs seconds at
 * every `up`; this costs one call of the engine and, in parallel, one of the agent.
 */
export async function observeServer(
  names: EngineNames,
  host = localHost,
  own: readonly ReplaceablePart[] = replaceableParts,
): Promise<ObservedState> {
  const key = `${host} ${names.network}`;
  const ahead = own === replaceableParts ? prefetched.get(key) : undefined;
  prefetched.delete(key);
  return ahead ?? observeNow(names, host, own);
}

async function observeNow(
  names: EngineNames,
  host: string,
  own: readonly ReplaceablePart[],
): Promise<ObservedState> {
  const [parts, observation] = await Promise.all([
    inspectParts(host, names, own),
    observe(host, names.agent),
  ]);
  const now = new Date().toISOString();
  // While the agent can connect, PostgreSQL has started.
  const isFailing =
    observation === undefined && parts.replaceable.get("postgres")?.isFailing === true;
  const made = (part: ReplaceablePart): string => {
    if (!own.includes(part)) return "";
    const found = parts.replaceable.get(part);
    return found?.isRunning === true ? (found.createdAt ?? "") : now;
  };
  return {
    createdAt: {
      ...{ network: made("network"), postgres: made("postgres") },
      ...{ agent: made("agent"), scratch: made("scratch") },
    },
    faults: [
      ...faultsOf(names, parts, own),
      ...(isFailing ? [await startFault(host, names.postgres)] : []),
    ],
    observation,
    isFailing,
  };
}

/** Why PostgreSQL does not start, by the last error in its log. */
async function startFault(host: string, postgres: string): Promise<string> {
  const args = ["logs", "--tail", "40", postgres];
  const answer = await docker(host, args, { timeoutMs }).catch(() => undefined);
  const errors = startupErrors(`${answer?.stdout ?? ""}\n${answer?.stderr ?? ""}`);
  const reason = errors.split("; ").at(-1) ?? "";
  const because =
    reason === "" ? "PostgreSQL does not start" : `PostgreSQL does not start: ${reason}`;
  return `${postgres} restarts again and again, because ${because}; if access rules are the reason, up restores the last ones that it used (log: docker logs ${postgres})`;
}

/** Creation time of a container, and what is wrong with it. A container that is missing or stopped is recreated. */
export async function inspectContainer(
  name: string,
  host: string,
): Promise<{ readonly createdAt: string; readonly fault: string | undefined }> {
  const found = (await inspect(host, "container", name)).get(name);
  const now = new Date().toISOString();
  if (found?.isRunning === true) return { createdAt: found.createdAt ?? "", fault: undefined };
  return { createdAt: now, fault: containerFault(name, found) };
}

/** Ports that a server publishes on its host. */
export interface Ports {
  readonly published: readonly number[];
  /** Whether one of its containers is restarting, so that its port is published only part of the time. */
  readonly isRestarting: boolean;
}

/** The ports that a server publishes. Raises an `EngineProblem` when the engine does not answer. */
export async function publishedPorts(host: string, prefix: string, server: string): Promise<Ports> {
  const labels = Object.entries(engineLabels(prefix, server));
  const filters = labels.flatMap(([label, value]) => ["--filter", `label=${label}=${value}`]);
  const format = "{{.State}} {{.Ports}}";
  const args = ["ps", ...filters, "--format", format];
  const { status, stdout, stderr } = await docker(host, args, { timeoutMs });
  if (status !== 0) throw engineFailure(host, stderr);
  return {
    published: [...stdout.matchAll(/:(\d+)->/g)].map(([, port]) => Number(port)),
    isRestarting: /^restarting /m.test(stdout),
  };
}

interface PartState {
  readonly isRunning: boolean;
  /** Whether it is between two starts, or has just been started again, after one that failed. */
  readonly isFailing: boolean;
  readonly state: string;
  readonly createdAt: string | undefined;
}

const labelsSchema = z.record(z.string(), z.string()).nullish();
const inspectedSchema = z.array(
  z.object({
    Name: z.string(),
    State: z
      .object({ Status: z.string(), Health: z.object({ Status: z.string() }).nullish() })
      .optional(),
    RestartCount: z.number().optional(),
    Config: z.object({ Labels: labelsSchema }).optional(),
    Labels: labelsSchema,
  }),
);

interface PartStates {
  readonly replaceable: ReadonlyMap<ReplaceablePart, PartState>;
  /** Names of existing volumes. */
  readonly volumes: ReadonlySet<string>;
}

async function inspectParts(
  host: string,
  names: EngineNames,
  own: readonly ReplaceablePart[],
): Promise<PartStates> {
  const containerNames = own.filter((part) => part !== "network").map((part) => names[part]);
  const [containers, networks, volumes] = await Promise.all([
    inspect(host, "container", ...containerNames),
    inspect(host, "network", names.network),
    inspect(host, "volume", ...volumesWithData(names, own)),
  ]);
  const found = new Map([...containers, ...networks]);
  const renewed = own.flatMap((part) => {
    const there = found.get(names[part]);
    return there ? [[part, there] as const] : [];
  });
  return { replaceable: new Map(renewed), volumes: new Set(volumes.keys()) };
}

async function inspect(
  host: string,
  kind: string,
  ...names: readonly string[]
): Promise<Map<string, PartState>> {
  // docker fails for a missing name, but still prints the others.
  const args = [kind, "inspect", ...names];
  const answer = await docker(host, args, { timeoutMs }).catch(() => undefined);
  const found = inspectedSchema.safeParse(parseJson(answer?.stdout ?? "")).data ?? [];
  return new Map(
    found.map(({ Name, State, Config, Labels, RestartCount = 0 }) => {
      const state = State?.Status ?? "running";
      const isRunning = state === "running" || state === "restarting";
      // One restart is a crash, after which PostgreSQL may need its time to recover.
      const isStartingAgain = RestartCount > 1 && State?.Health?.Status !== "healthy";
      const isFailing = state === "restarting" || (isRunning && isStartingAgain);
      const createdAt = (Config?.Labels ?? Labels)?.[createdLabel];
      return [Name.replace(/^\//, ""), { isRunning, isFailing, state, createdAt }];
    }),
  );
}

/** All but those without data: the socket's and the scratch container's. */
function volumesWithData(
  { dataVolume, agentVolume, backupsVolume, archiveVolume }: EngineNames,
  own: readonly ReplaceablePart[],
): string[] {
  const agents = [agentVolume, backupsVolume];
  return own.includes("postgres") ? [dataVolume, archiveVolume, ...agents] : agents;
}

function faultsOf(
  names: EngineNames,
  { replaceable, volumes }: PartStates,
  own: readonly ReplaceablePart[],
): string[] {
  const isDown = replaceable.size === 0;
  const broken = own.flatMap((part) => {
    const found = replaceable.get(part);
    if (found === undefined && isDown) return [];
    return found?.isRunning === true ? [] : [containerFault(names[part], found)];
  });
  const isNew = isDown && volumes.size === 0;
  const lost = isNew ? [] : volumesWithData(names, own).filter((name) => !volumes.has(name));
  return [
    ...broken,
    ...lost.map(
      (name) => `volume ${name} is missing, its data is lost; an empty one will be created`,
    ),
  ];
}

function containerFault(name: string, found: PartState | undefined): string {
  const what = found ? `is not running (${found.state})` : "is missing";
  return `${name} ${what}; it will be recreated`;
}

async function observe(host: string, agent: string): Promise<Observation | undefined> {
  return call({ host, agent }, "observe", { timeoutMs }).catch(() => undefined);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
