import { createServer } from "node:net";
import { localHost } from "../../model/base/host";

/** Why nothing can listen on a port of an address: it is taken, or the machine has no such address. */
export type PortProblem = "taken" | "no such address";

/** Tries to listen on a port of this machine; `undefined` when that can be done. */
export async function portProblem(port: number, address: string): Promise<PortProblem | undefined> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", ({ code = "" }: NodeJS.ErrnoException) => {
      // Anything else, such as a port that only root may use, is the engine's to judge.
      resolve(problems[code]);
    });
    probe.listen({ port, host: address, exclusive: true }, () => {
      probe.close(() => {
        resolve(undefined);
      });
    });
  });
}

const problems: Readonly<Record<string, PortProblem>> = {
  EADDRINUSE: "taken",
  EADDRNOTAVAIL: "no such address",
};

/** Whether the ports of a host's engine are this machine's, so that {@link portProblem} applies. */
export function isEngineLocal(host: string, dockerHost: string | undefined): boolean {
  if (host !== localHost) return false;
  return dockerHost === undefined || dockerHost === "" || dockerHost.startsWith("unix:");
}
