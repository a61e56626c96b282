import { execFile } from "node:child_process";

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

/** Runs docker to its end; never raises. */
export async function docker(...args: readonly string[]): Promise<DockerAnswer> {
  return new Promise((resolve) => {
    const options = { encoding: "utf8", timeout: patienceMs, maxBuffer: 16 * 2 ** 20 } as const;
    execFile("docker", args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === "number") resolve({ status: error.code, stdout, stderr });
      else resolve({ status: 1, stdout, stderr: stderr || error.message });
    });
  });
}

/** Why the engine cannot be asked, from what docker wrote to stderr. */
export function engineProblem(stderr: string): EngineProblem {
  const host = process.env["DOCKER_HOST"];
  const engine = host ? `the Docker engine at ${host} (DOCKER_HOST)` : "the Docker engine";
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  if (/ENOENT/.test(reason)) {
    return new EngineProblem("docker is not installed; npm start installs it where it can");
  }
  const fix = host
    ? "start it, or correct or unset DOCKER_HOST"
    : "npm start starts it where it can";
  return new EngineProblem(`${engine} does not answer; ${fix}\n  ${reason}`);
}
