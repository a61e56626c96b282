import { z } from "zod";
import { observationSchema, type Observation } from "../../model/observation/observation";
import { localHost } from "../../model/base/host";
import { engineLabels, type EngineNames } from "../../model/base/engine-names";
import { docker, engineProblem } from "./docker";

/** The label that tells when a part of a server was made. */
export const madeLabel = "stagecraft.made";

/** The parts that are made anew when they are gone, or do not run. */
export const renewedParts = ["network", "postgres", "agent"] as const;
export type RenewedPart = (typeof renewedParts)[number];

/** What of a server is on the engine now. */
export interface Sight {
  /** When each part was made: the value of its {@link madeLabel}. One that is gone or stopped has a new one, and so is replaced. */
  readonly made: Readonly<Record<RenewedPart, string>>;
  /** What is not as it should be, a sentence each; empty for a server that is not there at all. */
  readonly faults: readonly string[];
  /** What the agent sees; `undefined` while it does not answer. */
  readonly observation: Observation | undefined;
}

/** The parts of a server whose PostgreSQL is somewhere else. */
export const agentParts = ["network", "agent"] as const satisfies readonly RenewedPart[];

/** Looks that began ahead, by the server's network. */
const begun = new Map<string, Promise<Sight>>();

/** Begins to look at a server that {@link look} is going to be asked about, so that the answer is there by then. */
export function beginToLook(names: EngineNames, host: string): void {
  begun.set(`${host} ${names.network}`, lookNow(names, host, renewedParts));
}

/**
 * Looks at a server. Pulumi itself knows only what it made, not what became of it: asking its providers (`--refresh`)
 * costs seconds at every `up`, this costs one answer of the engine, and the agent's beside it.
 */
export async function look(
  names: EngineNames,
  host = localHost,
  own: readonly RenewedPart[] = renewedParts,
): Promise<Sight> {
  const key = `${host} ${names.network}`;
  const ahead = own === renewedParts ? begun.get(key) : undefined;
  begun.delete(key);
  return ahead ?? lookNow(names, host, own);
}

async function lookNow(
  names: EngineNames,
  host: string,
  own: readonly RenewedPart[],
): Promise<Sight> {
  const [parts, observation] = await Promise.all([
    inspectParts(host, names, own),
    observe(host, names.agent),
  ]);
  const now = new Date().toISOString();
  const made = (part: RenewedPart): string => {
    if (!own.includes(part)) return "";
    const found = parts.renewed.get(part);
    return found?.runs === true ? (found.made ?? "") : now;
  };
  return {
    made: { network: made("network"), postgres: made("postgres"), agent: made("agent") },
    faults: faultsOf(names, parts, own),
    observation,
  };
}

/** When a container of a server was made, and what is wrong with it. One that is gone or stopped is made anew. */
export async function lookAtContainer(
  name: string,
  host: string,
): Promise<{ readonly made: string; readonly fault: string | undefined }> {
  const found = (await inspect(host, "container", name)).get(name);
  const now = new Date().toISOString();
  if (found?.runs === true) return { made: found.made ?? "", fault: undefined };
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

interface Part {
  readonly runs: boolean;
  readonly state: string;
  readonly made: string | undefined;
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

interface Parts {
  readonly renewed: ReadonlyMap<RenewedPart, Part>;
  /** Names of the volumes that are there. */
  readonly volumes: ReadonlySet<string>;
}

async function inspectParts(
  host: string,
  names: EngineNames,
  own: readonly RenewedPart[],
): Promise<Parts> {
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
  return { renewed: new Map(renewed), volumes: new Set(volumes.keys()) };
}

async function inspect(
  host: string,
  kind: string,
  ...names: readonly string[]
): Promise<Map<string, Part>> {
  // A name that is not there makes docker fail, and tell of the others all the same.
  const { stdout } = await docker(host, kind, "inspect", ...names);
  const found = inspectedSchema.safeParse(parseJson(stdout)).data ?? [];
  return new Map(
    found.map(({ Name, State, Config, Labels }) => {
      const state = State?.Status ?? "running";
      const runs = state === "running" || state === "restarting";
      const made = (Config?.Labels ?? Labels)?.[madeLabel];
      return [Name.replace(/^\//, ""), { runs, state, made }];
    }),
  );
}

/** Without the one of the socket, which holds nothing. */
function volumesWithData(
  { dataVolume, agentVolume, backupsVolume, archiveVolume }: EngineNames,
  own: readonly RenewedPart[],
): string[] {
  const agents = [agentVolume, backupsVolume];
  return own.includes("postgres") ? [dataVolume, archiveVolume, ...agents] : agents;
}

function faultsOf(
  names: EngineNames,
  { renewed, volumes }: Parts,
  own: readonly RenewedPart[],
): string[] {
  const isDown = renewed.size === 0;
  const broken = own.flatMap((part) => {
    const found = renewed.get(part);
    if (found === undefined && isDown) return [];
    return found?.runs === true ? [] : [containerFault(names[part], found)];
  });
  const isNew = isDown && volumes.size === 0;
  const lost = isNew ? [] : volumesWithData(names, own).filter((name) => !volumes.has(name));
  return [
    ...broken,
    ...lost.map(
      (name) => `the volume ${name} is gone, with what was in it; a new one begins empty`,
    ),
  ];
}

function containerFault(name: string, found: Part | undefined): string {
  const what = found ? `does not run (${found.state})` : "is gone";
  return `${name} ${what}; it is made anew`;
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
