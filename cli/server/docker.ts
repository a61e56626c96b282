import { execa } from "execa";
import { z } from "zod";
import { hostProblem, localHost } from "../../model/base/host";
import { engineOfHost } from "../../tools/engine-of-host";
import { Problem } from "../base/problem";
import { engineDown } from "./engine-down";

/** A container as `docker inspect` tells of it. */
export interface Container {
  readonly name: string;
  /** `running`, `exited`, `paused`, … */
  readonly state: string;
  readonly health: "healthy" | "unhealthy" | "starting" | undefined;
  readonly createdAt: string;
  readonly startedAt: string;
  /** The server it is part of, by its labels; `undefined` where Stagecraft did not make it. */
  readonly server: string | undefined;
  readonly exitCode: number;
  /** Published addresses, e.g. `127.0.0.1:15432`. */
  readonly ports: readonly string[];
}

const inspectionSchema = z.array(
  z.object({
    Name: z.string(),
    Created: z.string(),
    Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
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

/** Those of the named containers that are on the engine of a host, in one call. */
export async function inspectContainers(
  host: string,
  names: readonly string[],
): Promise<Container[]> {
  const { stdout } = await docker(host, ["container", "inspect", ...names]);
  return parseInspection(stdout);
}

/** Reads what `docker container inspect` printed. */
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
    };
  });
}

/** Raises a {@link Problem} when the engine of a host does not answer. */
export async function requireEngine(host: string): Promise<void> {
  const { exitCode, stderr } = await docker(host, ["version", "--format", "{{.Server.Version}}"]);
  if (exitCode !== 0) throw new Problem(`the Docker engine does not answer: ${firstLine(stderr)}`);
}

/** Those of the named volumes that are there. */
export async function existingVolumes(host: string, names: readonly string[]): Promise<string[]> {
  const { stdout } = await docker(host, ["volume", "inspect", "--format", "{{.Name}}", ...names]);
  return stdout.split("\n").filter((name) => name !== "");
}

/** Removes volumes for good. */
export async function removeVolumes(host: string, names: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await docker(host, ["volume", "rm", ...names]);
  if (exitCode !== 0) throw new Problem(`the volumes could not be removed: ${stderr}`);
}

/** What a verb of the agent printed; raises a {@link Problem} with its text when it failed. */
export async function askAgent(host: string, agent: string, ...verb: string[]): Promise<string> {
  const command = ["exec", agent, "stagecraft-agent", ...verb];
  const { exitCode, stdout, stderr } = await docker(host, command);
  if (exitCode === 0) return stdout;
  throw new Problem(
    `the agent ${agent} did not answer: ${firstLine(stderr) || `exit ${exitCode}`}`,
  );
}

/**
 * Has the agent do something that takes a while: a request on its stdin, a call for each line of its progress. What it
 * printed, whatever came of it; raises a {@link Problem} when there is nobody to ask.
 */
export async function workOfAgent(
  host: string,
  agent: string,
  verb: readonly string[],
  input: string,
  onLine: (line: string) => void,
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const env = await environmentFor(host);
  const args = ["exec", "-i", agent, "stagecraft-agent", ...verb];
  const run = execa("docker", args, { reject: false, input, env, maxBuffer: 2 ** 28 });
  for await (const line of run.iterable({ from: "stderr" })) onLine(line);
  const { exitCode = 1, stdout, stderr } = await run;
  const problem = exitCode === 0 ? undefined : engineProblem(host, stderr);
  if (problem) throw problem;
  if (/No such container|is not running/.test(stderr)) {
    throw new Problem(`the agent ${agent} does not run`, "npx stagecraft status");
  }
  return { exitCode, stdout, stderr };
}

/** Runs docker on this terminal and gives its exit status. */
export async function dockerOnTerminal(host: string, args: readonly string[]): Promise<number> {
  const env = await environmentFor(host);
  const { exitCode } = await execa("docker", args, { stdio: "inherit", reject: false, env });
  return exitCode ?? 1;
}

/** What docker says; raises a {@link Problem} when the engine of the host cannot be reached. */
async function docker(
  host: string,
  args: readonly string[],
  input = "",
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const env = await environmentFor(host);
  const result = await execa("docker", args, { reject: false, input, env });
  const { exitCode, stdout, stderr } = result;
  if (exitCode !== undefined) {
    const problem = engineProblem(host, stderr);
    if (problem) throw problem;
    return { exitCode, stdout, stderr };
  }
  if (result.code === "ENOENT") throw new Problem("docker is not installed", "npm start");
  throw new Problem(`docker was stopped: ${result.shortMessage}`);
}

/** How docker reaches the engine of a host; raises a {@link Problem} when it cannot. */
export async function environmentFor(host: string): Promise<NodeJS.ProcessEnv> {
  const engine = await engineOfHost(host);
  if ("environment" in engine) return engine.environment;
  throw problemWith(host, engine.stderr);
}

function problemWith(host: string, stderr: string): Problem {
  const { what, fix } = hostProblem(host, stderr);
  return new Problem(what, fix);
}

/** The {@link Problem} of a host's Docker engine that cannot be reached, where docker's `stderr` tells of one. */
export function engineProblem(host: string, stderr: string): Problem | undefined {
  const isDown = /cannot connect to the docker daemon|error during connect|dial unix/i.test(stderr);
  const isRefused = /permission denied.*(?:docker\.sock|daemon socket)/is.test(stderr);
  if ((isDown || isRefused) && host !== localHost) return problemWith(host, stderr);
  if (isRefused) {
    return new Problem(
      "this user may not use the Docker engine",
      "sudo usermod -aG docker $USER, then log in again",
    );
  }
  if (isDown) {
    return engineDown();
  }
  return undefined;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
