import { z } from "zod";
import { observationSchema, type Observation } from "../../model/observation/observation";
import { localHost } from "../../model/base/host";
import { engineLabels, type EngineNames } from "../../model/base/engine-names";
import { docker, engineProblem } from "./docker";

/** The label that tells when a part of a server was made. */
export const createdLabel = "stagecraft.made";

/** The parts that are made anew when they are gone, or do not run. */
export const replaceableParts = ["network", "postgres", "agent"] as const;
export type ReplaceablePart = (typeof replaceableParts)[number];

/** What of a server is on the engine now. */
export interface ObservedState {
  /** When each part was made: the value of its {@link createdLabel}. One that is gone or stopped has a new one, and so is replaced. */
  readonly createdAt: Readonly<Record<ReplaceablePart, string>>;
  /** What is not as it should be, a sentence each; empty for a server that is not there at all. */
  readonly faults: readonly string[];
  /** What the agent sees; `undefined` while it does not answer. */
  readonly observation: Observation | undefined;
}

/** The parts of a server whose PostgreSQL is somewhere else. */
export const agentParts = ["network", "agent"] as const satisfies readonly ReplaceablePart[];

/** Looks that began ahead, by the server's network. */
const prefetched = new Map<string, Promise<ObservedState>>();

/** Begins to look at a server that {@link observeServer} is going to be asked about, so that the answer is there by then. */
export function prefetchObservedState(names: EngineNames, host: string): void {
  prefetched.set(`${host} ${names.network}`, observeNow(names, host, replaceableParts));
}

/**
 * Looks at a server. Pulumi itself knows only what it made, not what became of it: asking its providers (`--refresh`)
 * costs seconds at every `up`, this costs one answer of the engine, and the agent's beside it.
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
  const made = (part: ReplaceablePart): string => {
    if (!own.includes(part)) return "";
    const found = parts.replaceable.get(part);
    return found?.isRunning === true ? (found.createdAt ?? "") : now;
  };
  return {
    createdAt: { network: made("network"), postgres: made("postgres"), agent: made("agent") },
    faults: faultsOf(names, parts, own),
    observation,
  };
}

/** When a container of a server was made, and what is wrong with it. One that is gone or stopped is made anew. */
export async function inspectContainer(
  name: string,
  host: string,
): Promise<{ readonly made: string; readonly fault: string | undefined }> {
  const found = (await inspect(host, "container", name)).get(name);
  const now = new Date().toISOString();
  if (found?.isRunning === true) return { made: found.createdAt ?? "", fault: undefined };
  return { made: now, fault: containerFault(name, found) };
}

/** What a server has of this machine's ports. */
export interface Ports {
  readonly published: readonly number[];
  /** Whether one of its containers is being restarted, and so has a port at one moment and not at the next. */
  readonly isRestarting: boolean;
}

/** The ports that a server publishes already. Raises an `EngineProblem` when the engine of the host cannot be asked. */
export async function publishedPorts(host: string, prefix: string, server: string): Promise<Ports> {
  const labels = Object.entries(engineLabels(prefix, server));
  const filters = labels.flatMap(([label, value]) => ["--filter", `label=${label}=${value}`]);
  const format = "{{.State}} {{.Ports}}";
  const { status, stdout, stderr } = await docker(host, "ps", ...filters, "--format", format);
  if (status !== 0) throw engineProblem(host, stderr);
  return {
    published: [...stdout.matchAll(/:(\d+)->/g)].map(([, port]) => Number(port)),
    isRestarting: /^restarting /m.test(stdout),
  };
}

interface PartState {
  readonly isRunning: boolean;
  readonly state: string;
  readonly createdAt: string | undefined;
}

const labelsSchema = z.record(z.string(), z.string()).nullish();
const inspectedSchema = z.array(
  z.object({
    Name: z.string(),
    State: z.object({ Status: z.string() }).optional(),
    Config: z.object({ Labels: labelsSchema }).optional(),
    Labels: labelsSchema,
  }),
);

interface PartStates {
  readonly replaceable: ReadonlyMap<ReplaceablePart, PartState>;
  /** Names of the volumes that are there. */
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
  // A name that is not there makes docker fail, and tell of the others all the same.
  const { stdout } = await docker(host, kind, "inspect", ...names);
  const found = inspectedSchema.safeParse(parseJson(stdout)).data ?? [];
  return new Map(
    found.map(({ Name, State, Config, Labels }) => {
      const state = State?.Status ?? "running";
      const isRunning = state === "running" || state === "restarting";
      const createdAt = (Config?.Labels ?? Labels)?.[createdLabel];
      return [Name.replace(/^\//, ""), { isRunning, state, createdAt }];
    }),
  );
}

/** Without the one of the socket, which holds nothing. */
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
  const { status, stdout } = await docker(host, "exec", agent, "stagecraft-agent", "observe");
  return status === 0 ? observationSchema.safeParse(parseJson(stdout)).data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
