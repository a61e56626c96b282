import { spawn, type ChildProcessByStdio } from "node:child_process";
import path from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { messageOf } from "../../system/errors";

/** A running `postgres`, whose stderr is its server log. */
export type PostgresProcess = ChildProcessByStdio<null, null, Readable>;

/** Environment of PostgreSQL: English messages, and nothing else of the container's. */
export const postgresEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  LC_ALL: "C.UTF-8",
  LC_MESSAGES: "C",
  TZ: "UTC",
};

/** Parameters as arguments of `postgres`. */
export function parameterArguments(parameters: Readonly<Record<string, string>>): string[] {
  return Object.entries(parameters).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** Starts a server on a cluster. @param parameters override those of its files */
export function startPostgres(
  cluster: string,
  parameters: Readonly<Record<string, string>>,
): PostgresProcess {
  return spawn("postgres", ["-D", cluster, ...parameterArguments(parameters)], {
    env: postgresEnvironment,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** Result of {@link untilAccepting}: a failure has its reason. */
export type StartResult = "runs" | "ended" | { readonly failure: string };

/** Waits until a server accepts connections on a socket, whether or not its rules let this user in, or has ended. */
export async function untilAccepting(
  server: PostgresProcess,
  folder: string,
  timeoutMs: number,
): Promise<StartResult> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const client = new Client({ host: folder, user: "postgres", database: "postgres" });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.query("SELECT");
      return "runs";
    } catch (error) {
      if (server.exitCode !== null || server.signalCode !== null) return "ended";
      const code = (error as { readonly code?: string }).code ?? "";
      if (code.startsWith("28")) return "runs";
      const isStarting = ["ENOENT", "ECONNREFUSED", "57P03"].includes(code);
      if (!isStarting || Date.now() > deadline) return { failure: messageOf(error) };
    } finally {
      await client.end().catch(() => undefined);
    }
    await sleep(10);
  }
}

/** Stops a server and waits for its end. @param signal `SIGINT` for a fast shutdown, `SIGQUIT` for an immediate one. PostgreSQL manual, 18.5 */
export async function stopPostgres(
  server: PostgresProcess,
  signal: "SIGINT" | "SIGQUIT",
): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => {
    server.once("close", () => {
      resolve();
    });
  });
  server.kill(signal);
  const killing = setTimeout(() => server.kill("SIGKILL"), 60_000);
  await ended;
  clearTimeout(killing);
}

/** How a server ended, for a message. */
export function exitText({ exitCode, signalCode }: PostgresProcess): string {
  return signalCode === null
    ? `it ended with status ${exitCode ?? "unknown"}`
    : `it was ended by ${signalCode}, possibly because memory ran out`;
}

/** Path of the Unix socket's folder of a trial server. */
export function socketFolderOf(cluster: string): string {
  return path.join(cluster, "socket");
}
