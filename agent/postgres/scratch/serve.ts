import { chmodSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import path from "node:path";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { TrialCluster } from "./clusters";
import {
  controlSocket,
  maxMessageBytes,
  scratchAnswerSchema,
  scratchFolder,
  scratchRequestSchema,
  type ScratchAnswer,
  type ScratchRequest,
} from "./protocol";
import { readLine } from "./read-line";
import { ScratchServer } from "./scratch-server";
import { readRules, tryConfiguration } from "./trials";

/**
 * The main process of the scratch container: runs PostgreSQL on what others have written, away from the server and from the
 * agent. The container has another user, no network, and no volume but its own; only the agent reaches its socket.
 */
export async function serveScratch(server: string): Promise<void> {
  for (const name of await readdir(scratchFolder))
    await rm(path.join(scratchFolder, name), { recursive: true, force: true });
  const tasks = new Tasks();
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    void tasks.handle(socket);
  });
  listener.listen(controlSocket, () => {
    // The agent is another user; nobody else can enter the volume.
    chmodSync(controlSocket, 0o777);
    logLine(`scratch container of server ${server} is running`);
  });
  // PostgreSQL's processes end with the container, and its data is of no use afterwards.
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
}

class Tasks {
  readonly #cluster = new TrialCluster();
  readonly #server = new ScratchServer();

  /** Reads a request, and answers it. */
  async handle(socket: Socket): Promise<void> {
    try {
      const line = await readLine(socket, maxMessageBytes);
      const request = scratchRequestSchema.parse(JSON.parse(line));
      if (request.task === "run server") await this.#lease(socket, request.parameters);
      else socket.end(render(await this.#trial(request)));
    } catch (error) {
      socket.end(render({ failure: messageOf(error) }));
    }
  }

  /** Runs the server until the other side closes the connection, or has ended. */
  async #lease(socket: Socket, parameters: Readonly<Record<string, string>>): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      for (const event of ["end", "close"] as const) {
        socket.once(event, () => {
          resolve();
        });
      }
    });
    socket.resume();
    try {
      await this.#server.acquire(parameters);
      socket.write(render({ failure: null, started: true }));
      await closed;
      socket.end();
    } finally {
      this.#server.release();
    }
  }

  async #trial(request: Exclude<ScratchRequest, { task: "run server" }>): Promise<ScratchAnswer> {
    return this.#cluster.use(async (cluster) =>
      request.task === "check rules"
        ? readRules(cluster, request)
        : tryConfiguration(cluster, request),
    );
  }
}

function render(answer: Partial<ScratchAnswer> & Pick<ScratchAnswer, "failure">): string {
  return `${JSON.stringify(scratchAnswerSchema.parse(answer))}\n`;
}
