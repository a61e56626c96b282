import { execa } from "execa";
import { z } from "zod";
import { Problem } from "./problem";

/** A container as `docker inspect` tells of it. */
export interface Container {
  readonly name: string;
  /** `running`, `exited`, `paused`, … */
  readonly state: string;
  readonly health: "healthy" | "unhealthy" | "starting" | undefined;
  readonly startedAt: string;
  readonly exitCode: number;
  /** Published addresses, e.g. `127.0.0.1:15432`. */
  readonly ports: readonly string[];
}

const inspectionSchema = z.array(
  z.object({
    Name: z.string(),
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

/** Those of the named containers that are there, in one call. */
export async function inspectContainers(names: readonly string[]): Promise<Container[]> {
  const { stdout, stderr } = await docker(["container", "inspect", ...names]);
  rejectEngineDown(stderr);
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
      startedAt: container.State.StartedAt,
      exitCode: container.State.ExitCode,
      ports: Object.values(container.NetworkSettings.Ports ?? {})
        .flatMap((bindings) => bindings ?? [])
        .map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`),
    };
  });
}

/** Raises a {@link Problem} when the engine does not answer. */
export async function requireEngine(): Promise<void> {
  const { exitCode, stderr } = await docker(["version", "--format", "{{.Server.Version}}"]);
  rejectEngineDown(stderr);
  if (exitCode !== 0) throw new Problem(`the Docker engine does not answer: ${firstLine(stderr)}`);
}

/** Those of the named volumes that are there. */
export async function existingVolumes(names: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await docker([
    ...["volume", "inspect", "--format", "{{.Name}}"],
    ...names,
  ]);
  rejectEngineDown(stderr);
  return stdout.split("\n").filter((name) => name !== "");
}

/** Removes volumes for good. */
export async function removeVolumes(names: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await docker(["volume", "rm", ...names]);
  rejectEngineDown(stderr);
  if (exitCode !== 0) throw new Problem(`the volumes could not be removed: ${stderr}`);
}

/** What a verb of the agent printed; raises a {@link Problem} with its text when it failed. */
export async function askAgent(agent: string, ...verb: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await docker(["exec", agent, "stagecraft-agent", ...verb]);
  rejectEngineDown(stderr);
  if (exitCode === 0) return stdout;
  throw new Problem(
    `the agent ${agent} did not answer: ${firstLine(stderr) || `exit ${exitCode}`}`,
  );
}

/** Runs docker on this terminal and gives its exit status. */
export async function dockerOnTerminal(args: readonly string[]): Promise<number> {
  const { exitCode } = await execa("docker", args, { stdio: "inherit", reject: false });
  return exitCode ?? 1;
}

async function docker(
  args: readonly string[],
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const result = await execa("docker", args, { reject: false, stdin: "ignore" });
  const { exitCode, stdout, stderr } = result;
  if (exitCode !== undefined) return { exitCode, stdout, stderr };
  if (result.code === "ENOENT") throw new Problem("docker is not installed", "npm start");
  throw new Problem(`docker was stopped: ${result.shortMessage}`);
}

function rejectEngineDown(stderr: string): void {
  const problem = engineProblem(stderr);
  if (problem) throw problem;
}

/** The {@link Problem} of a Docker engine that cannot be reached, where `stderr` tells of one. */
export function engineProblem(stderr: string): Problem | undefined {
  if (/permission denied.*(?:docker\.sock|daemon socket)/is.test(stderr)) {
    return new Problem(
      "this user may not use the Docker engine",
      "sudo usermod -aG docker $USER, then log in again",
    );
  }
  if (/cannot connect to the docker daemon|error during connect|dial unix/i.test(stderr)) {
    return new Problem("the Docker engine does not answer", "npm start   (starts it where it can)");
  }
  return undefined;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
