import { createServer } from "node:net";
import { localHost } from "../../model/host";

/** Whether a program of this machine listens on a port of an address. */
export async function isPortTaken(port: number, address = "127.0.0.1"): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", (error: NodeJS.ErrnoException) => {
      // Anything else, such as a port that only root may use, is the engine's to judge.
      resolve(error.code === "EADDRINUSE");
    });
    probe.listen({ port, host: address, exclusive: true }, () => {
      probe.close(() => {
        resolve(false);
      });
    });
  });
}

/** Whether the ports of a host's engine are this machine's, so that {@link isPortTaken} can tell. */
export function isEngineLocal(host: string, dockerHost: string | undefined): boolean {
  if (host !== localHost) return false;
  return dockerHost === undefined || dockerHost === "" || dockerHost.startsWith("unix:");
}
