import { z } from "zod";
import { engineFailure, EngineProblem } from "./problems";
import { docker } from "./run";

/** How the engine stores what a container prints. */
export interface ContainerLog {
  /** `json-file`, `local`, `journald`, … */
  readonly driver: string;
  /** Most bytes on the host's disk; `null` without a limit, `undefined` when another program stores it. */
  readonly limitBytes: number | null | undefined;
}

/** A container, by `docker inspect`. */
export interface Container {
  readonly name: string;
  /** `running`, `exited`, `paused`, … */
  readonly state: string;
  readonly health: "healthy" | "unhealthy" | "starting" | undefined;
  readonly createdAt: string;
  readonly startedAt: string;
  /** The server it is part of, by its labels; `undefined` where Stagecraft did not create it. */
  readonly server: string | undefined;
  readonly exitCode: number;
  /** Published addresses, e.g. `127.0.0.1:15432`. */
  readonly ports: readonly string[];
  readonly log?: ContainerLog | undefined;
}

const logConfigSchema = z.object({
  Type: z.string(),
  Config: z.record(z.string(), z.string()).nullish(),
});

const inspectionSchema = z.array(
  z.object({
    Name: z.string(),
    Created: z.string(),
    Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
    HostConfig: z.object({ LogConfig: logConfigSchema.nullish() }).nullish(),
    State: z.object({
      Status: z.string(),
      StartedAt: z.string(),
      ExitCode: z.number(),
      Health: z.object({ Status: z.enum(["healthy", "unhealthy", "starting", "none"]) }).nullish(),
    }),
    NetworkSettings: z.object({
      Ports: z
        .record(
          z.string(),
          z.array(z.object({ HostIp: z.string(), HostPort: z.string() })).nullable(),
        )
        .nullish(),
    }),
  }),
);

/** Inspects the named containers on the engine of a host; leaves out those that do not exist. */
export async function inspectContainers(
  host: string,
  names: readonly string[],
): Promise<Container[]> {
  const { stdout } = await docker(host, ["container", "inspect", ...names]);
  return parseInspection(stdout);
}

/** Parses the output of `docker container inspect`. */
export function parseInspection(json: string): Container[] {
  return inspectionSchema.parse(JSON.parse(json || "[]")).map((container) => {
    const health = container.State.Health?.Status;
    return {
      name: container.Name.replace(/^\//, ""),
      state: container.State.Status,
      health: health === "none" ? undefined : health,
      createdAt: container.Created,
      startedAt: container.State.StartedAt,
      server: container.Config.Labels?.["stagecraft.server"],
      exitCode: container.State.ExitCode,
      ports: Object.values(container.NetworkSettings.Ports ?? {})
        .flatMap((bindings) => bindings ?? [])
        .map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`),
      log: parseLogConfig(container.HostConfig?.LogConfig),
    };
  });
}

/** Options of drivers that store logs on the host, without which it is their default. Docker's documentation, "Logging drivers". */
const logDefaults = {
  "json-file": { size: undefined, files: "1" },
  local: { size: "20m", files: "5" },
} as const;

function parseLogConfig(
  config: z.infer<typeof logConfigSchema> | null | undefined,
): ContainerLog | undefined {
  if (!config) return undefined;
  const { Type: driver, Config: options } = config;
  if (driver === "none") return { driver, limitBytes: 0 };
  if (!(driver in logDefaults)) return { driver, limitBytes: undefined };
  const defaults = logDefaults[driver as keyof typeof logDefaults];
  const bytes = parseDockerSize(options?.["max-size"] ?? defaults.size);
  const files = Number(options?.["max-file"] ?? defaults.files);
  return { driver, limitBytes: bytes === undefined ? null : bytes * files };
}

/** Bytes of a size like `20m`; `undefined` for none, or for `-1`, which is no limit. */
function parseDockerSize(text: string | undefined): number | undefined {
  const [, digits, unit = ""] = /^(\d+)([kmg]?)b?$/i.exec(text ?? "") ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * 1024 ** ["", "k", "m", "g"].indexOf(unit.toLowerCase());
}

/** Raises an {@link EngineProblem} when the engine of a host does not answer. */
export async function requireEngine(host: string): Promise<void> {
  const args = ["version", "--format", "{{.Server.Version}}"];
  const { status, stderr } = await docker(host, args);
  if (status !== 0) throw engineFailure(host, stderr);
}

/** The named volumes that exist. */
export async function existingVolumes(host: string, names: readonly string[]): Promise<string[]> {
  const { stdout } = await docker(host, ["volume", "inspect", "--format", "{{.Name}}", ...names]);
  return stdout.split("\n").filter((name) => name !== "");
}

/** Deletes volumes with their data. Raises an {@link EngineProblem} when one cannot be deleted. */
export async function removeVolumes(host: string, names: readonly string[]): Promise<void> {
  const { status, stderr } = await docker(host, ["volume", "rm", ...names]);
  if (status !== 0) {
    throw new EngineProblem(
      `the volumes could not be removed: ${stderr.trim()}`,
      `remove the containers that use them (docker ps -a --filter volume=${names[0] ?? ""}), then run this again`,
    );
  }
}
