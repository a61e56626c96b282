import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The engine that a Docker context selects, or why it cannot be used; `undefined` where none but the default is selected. */
export type SelectedEngine =
  { readonly host: string } | { readonly problem: string; readonly fix: string } | undefined;

/**
 * Finds the engine of the selected Docker context: `DOCKER_CONTEXT`, or the one of `docker context use`. Docker's client follows
 * it, Pulumi's Docker provider only follows `DOCKER_HOST`, which has precedence over a context.
 */
export function engineOfContext(environment: NodeJS.ProcessEnv = process.env): SelectedEngine {
  if ((environment["DOCKER_HOST"] ?? "") !== "") return undefined;
  const folder = environment["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const name = environment["DOCKER_CONTEXT"] || configuredContext(folder);
  if (name === undefined || name === "default") return undefined;
  const id = createHash("sha256").update(name).digest("hex");
  const host = hostIn(join(folder, "contexts", "meta", id, "meta.json"));
  const unset = "or use the default one: DOCKER_CONTEXT=default";
  if (host === undefined) {
    return { problem: `there is no Docker context "${name}"`, fix: `docker context ls, ${unset}` };
  }
  if (existsSync(join(folder, "contexts", "tls", id))) {
    return {
      problem: `Docker context "${name}" has TLS certificates, which Pulumi's Docker provider does not read`,
      fix: `set DOCKER_HOST and DOCKER_CERT_PATH instead, ${unset}`,
    };
  }
  return { host };
}

/** `DOCKER_HOST` for programs that do not follow the selected context; empty where that is not needed or not possible. */
export function contextEnvironment(): NodeJS.ProcessEnv {
  const selected = engineOfContext();
  return selected && "host" in selected ? { DOCKER_HOST: selected.host } : {};
}

function configuredContext(folder: string): string | undefined {
  const { currentContext } = readJson(join(folder, "config.json")) as { currentContext?: unknown };
  return typeof currentContext === "string" && currentContext !== "" ? currentContext : undefined;
}

function hostIn(file: string): string | undefined {
  const { Endpoints } = readJson(file) as { Endpoints?: { docker?: { Host?: unknown } } };
  const host = Endpoints?.docker?.Host;
  return typeof host === "string" ? host : undefined;
}

/** The object in a JSON file; an empty one if there is no such file. */
function readJson(file: string): object {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
