import { execFile } from "node:child_process";
import { localHost } from "../model/base/host";
import { toolsFolder } from "./folders";

/** How docker gets to the engine of a host: variables to run it with; else what ssh, or docker there, wrote to stderr. */
export type EngineOfHost =
  { readonly environment: NodeJS.ProcessEnv } | { readonly stderr: string };

const patienceMs = 60_000;

/** Leads to the engine of a host, over the one connection that all calls to it share. Never raises. */
export async function engineOfHost(host: string): Promise<EngineOfHost> {
  if (host === localHost) return { environment: {} };
  const options = { encoding: "utf8", timeout: patienceMs } as const;
  return new Promise((resolve) => {
    execFile(toolsFolder("engine-over-ssh.sh"), [host], options, (error, stdout, stderr) => {
      resolve(
        error === null
          ? { environment: { DOCKER_HOST: stdout.trim() } }
          : { stderr: stderr || error.message },
      );
    });
  });
}
