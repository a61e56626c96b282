import { execFile } from "node:child_process";
import { hostProblem, localHost } from "../../model/base/host";
import { engineOfHost } from "../../engine/engine-of-host";

/** The Docker engine could not be asked; the message says why and what to do. */
export class EngineProblem extends Error {
  override readonly name = "EngineProblem";
}

/** How long an answer may take before a preview goes on without it. */
const patienceMs = 10_000;

/** What docker said. */
export interface DockerAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs docker for the engine of a host to its end; never raises. */
export async function docker(host: string, ...args: readonly string[]): Promise<DockerAnswer> {
  return dockerWithInput(host, undefined, ...args);
}

/** The same with something on its stdin. */
export async function dockerWithInput(
  host: string,
  input: string | undefined,
  ...args: readonly string[]
): Promise<DockerAnswer> {
  const engine = await engineOfHost(host);
  if ("stderr" in engine) return { status: 1, stdout: "", stderr: engine.stderr };
  const env = { ...process.env, ...engine.environment };
  return new Promise((resolve) => {
    const options = {
      encoding: "utf8",
      timeout: patienceMs,
      maxBuffer: 16 * 2 ** 20,
      env,
    } as const;
    const child = execFile("docker", args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === "number") resolve({ status: error.code, stdout, stderr });
      else resolve({ status: 1, stdout, stderr: stderr || error.message });
    });
    // It may end before it has read everything.
    child.stdin?.on("error", () => undefined);
    if (input !== undefined) child.stdin?.end(input);
  });
}

/** Why the engine of a host cannot be asked, from what was written to stderr. */
export function engineProblem(host: string, stderr: string): EngineProblem {
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  if (/ENOENT/.test(reason)) {
    return new EngineProblem("docker is not installed; npm start installs it where it can");
  }
  if (host !== localHost) {
    const { what, fix } = hostProblem(host, stderr);
    return new EngineProblem(`${what}\n  ${fix}`);
  }
  const named = process.env["DOCKER_HOST"];
  const engine = named ? `the Docker engine at ${named} (DOCKER_HOST)` : "the Docker engine";
  const fix = named
    ? "start it, or correct or unset DOCKER_HOST"
    : "npm start starts it where it can";
  return new EngineProblem(`${engine} does not answer; ${fix}\n  ${reason}`);
}
