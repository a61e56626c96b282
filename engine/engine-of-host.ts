import { execFile } from "node:child_process";
import { join } from "node:path";
import { localHost } from "../model/base/host";
import { contextEnvironment } from "../tools/docker-context";
import { packageFolder } from "../tools/folders";

/** How docker reaches the engine of a host: its environment; or what ssh, or docker there, wrote to stderr. */
export type EngineOfHost =
  { readonly environment: NodeJS.ProcessEnv } | { readonly stderr: string };

const timeoutMs = 60_000;

/** Path of the script that connects to the engine of another machine. */
export function engineOverSshScript(): string {
  return join(packageFolder(), "engine", "engine-over-ssh.sh");
}

/** Connects to the engine of a host, over the one SSH connection that all calls to it share. Never raises. */
export async function engineOfHost(host: string): Promise<EngineOfHost> {
  if (host === localHost) return { environment: contextEnvironment() };
  const options = { encoding: "utf8", timeout: timeoutMs } as const;
  return new Promise((resolve) => {
    execFile(engineOverSshScript(), [host], options, (error, stdout, stderr) => {
      resolve(
        error === null
          ? { environment: { DOCKER_HOST: stdout.trim() } }
          : { stderr: stderr || error.message },
      );
    });
  });
}
