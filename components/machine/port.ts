import { createServer } from "node:net";

/** Whether a program of this machine listens on a port of 127.0.0.1. */
export async function isPortTaken(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", (error: NodeJS.ErrnoException) => {
      // Anything else, such as a port that only root may use, is the engine's to judge.
      resolve(error.code === "EADDRINUSE");
    });
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      probe.close(() => {
        resolve(false);
      });
    });
  });
}

/** Whether the engine's ports are this machine's, so that {@link isPortTaken} can tell. */
export function isEngineLocal(dockerHost: string | undefined): boolean {
  return dockerHost === undefined || dockerHost === "" || dockerHost.startsWith("unix:");
}
