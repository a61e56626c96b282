import { spawnSync } from "node:child_process";
import { observationSchema, type Observation } from "../../model/protocol";
import { engineLabels } from "../../model/settings/engine-names";

/** The Docker engine could not be asked; the message says why and what to do. */
export class EngineProblem extends Error {
  override readonly name = "EngineProblem";
}

/** How long an answer may take before a preview goes on without it. */
const patienceMs = 10_000;

/** The ports that this server publishes already. Raises an {@link EngineProblem} when the engine cannot be asked. */
export function publishedPorts(prefix: string, server: string): number[] {
  const labels = Object.entries(engineLabels(prefix, server));
  const filters = labels.flatMap(([label, value]) => ["--filter", `label=${label}=${value}`]);
  const { status, stdout, stderr } = docker("ps", ...filters, "--format", "{{.Ports}}");
  if (status !== 0) throw new EngineProblem(engineProblem(stderr));
  return [...stdout.matchAll(/:(\d+)->/g)].map(([, port]) => Number(port));
}

/** What the agent of a server sees now; `undefined` while there is no server, or it does not answer. */
export function observe(agent: string): Observation | undefined {
  const { status, stdout } = docker("exec", agent, "stagecraft-agent", "observe");
  if (status !== 0) return undefined;
  try {
    return observationSchema.safeParse(JSON.parse(stdout)).data;
  } catch {
    return undefined;
  }
}

function docker(...args: readonly string[]): { status: number; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync("docker", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: patienceMs,
    maxBuffer: 16 * 2 ** 20,
  });
  if (error) return { status: 1, stdout: "", stderr: error.message };
  return { status: status ?? 1, stdout, stderr };
}

function engineProblem(stderr: string): string {
  const host = process.env["DOCKER_HOST"];
  const engine = host ? `the Docker engine at ${host} (DOCKER_HOST)` : "the Docker engine";
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  if (/ENOENT/.test(reason)) return "docker is not installed; npm start installs it where it can";
  const fix = host
    ? "start it, or correct or unset DOCKER_HOST"
    : "npm start starts it where it can";
  return `${engine} does not answer; ${fix}\n  ${reason}`;
}
