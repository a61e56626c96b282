import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { localHost } from "../model/base/host";
import { engineOfContext } from "../tools/docker-context";
import { engineOfHost } from "./engine-of-host";
import { EngineProblem, engineProblem, missingDockerProblem, remoteProblem } from "./problems";

/** How docker is run. */
export interface DockerOptions {
  /** Its stdin. @default nothing */
  readonly input?: string | undefined;
  /** Called with each line on stderr. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Called with each line on stdout. */
  readonly onOutput?: ((line: string) => void) | undefined;
  /** How long it may take. @default as long as it needs */
  readonly timeoutMs?: number | undefined;
  /** Further environment variables. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/** What docker printed, and its exit status. */
export interface DockerResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs docker for the engine of a host. Raises an {@link EngineProblem} when that engine cannot be used. */
export async function docker(
  host: string,
  args: readonly string[],
  options: DockerOptions = {},
): Promise<DockerResult> {
  const { input, onLine, onOutput, ...rest } = options;
  const stdin = input === undefined ? "ignore" : "pipe";
  const child = await startDocker(host, args, { ...rest, stdio: [stdin, "pipe", "pipe"] });
  // docker may end before it has read everything.
  child.stdin?.on("error", () => undefined).end(input);
  const [status, stdout, stderr] = await Promise.all([
    exitStatusOf(child),
    textOf(child.stdout, onOutput),
    textOf(child.stderr, onLine),
  ]);
  const problem = status === 0 ? undefined : engineProblem(host, stderr);
  if (problem) throw problem;
  return { status, stdout, stderr };
}

/** Runs docker on this terminal; its exit status. Raises an {@link EngineProblem} when the engine cannot be reached. */
export async function dockerOnTerminal(host: string, args: readonly string[]): Promise<number> {
  return exitStatusOf(await startDocker(host, args, { stdio: "inherit" }));
}

/** Starts docker for the engine of a host. Raises an {@link EngineProblem} when the host cannot be reached. */
export async function startDocker(
  host: string,
  args: readonly string[],
  {
    stdio,
    timeoutMs,
    environment,
  }: Pick<DockerOptions, "timeoutMs" | "environment"> & { readonly stdio: StdioOptions },
): Promise<ChildProcess> {
  const selected = host === localHost ? engineOfContext() : undefined;
  if (selected && "problem" in selected) throw new EngineProblem(selected.problem, selected.fix);
  const engine = await engineOfHost(host);
  if ("stderr" in engine) throw remoteProblem(host, engine.stderr);
  const env = { ...process.env, ...engine.environment, ...environment };
  return spawn("docker", args, { stdio, env, timeout: timeoutMs });
}

/** Exit status of a docker; 1 when a signal ended it. Raises an {@link EngineProblem} when docker is not installed. */
export async function exitStatusOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "ENOENT"
          ? missingDockerProblem()
          : new EngineProblem(`docker cannot be started: ${error.message}`),
      );
    });
    child.on("close", (status) => {
      resolve(status ?? 1);
    });
  });
}

async function textOf(
  stream: Readable | null,
  onLine: ((line: string) => void) | undefined,
): Promise<string> {
  if (!stream) return "";
  const closed = once(stream, "close");
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  if (onLine) createInterface({ input: stream }).on("line", onLine);
  await closed;
  return text;
}
