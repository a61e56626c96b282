import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { EnvironmentError, messageOf } from "../../system/errors";
import { atScratchServer } from "../target";
import {
  controlSocket,
  maxMessageBytes,
  scratchAnswerSchema,
  scratchFolder,
  type ScratchAnswer,
  type ScratchRequest,
} from "./protocol";
import { readLine } from "./read-line";

/** How long the scratch container may take to start. */
const startTimeoutMs = 60_000;

/** Lets the scratch container check files. Throws an {@link EnvironmentError} when it cannot. */
export async function askScratch(
  request: Exclude<ScratchRequest, { task: "run server" }>,
): Promise<ScratchAnswer> {
  const socket = await openControl();
  try {
    return await ask(socket, request);
  } finally {
    socket.destroy();
  }
}

/**
 * Runs `work` with an empty server of its own in the scratch container: all connections that it opens lead there. The server and
 * its data are gone afterwards.
 *
 * @param parameters Parameters of the server
 */
export async function withScratchServer<T>(
  parameters: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const socket = await openControl();
  try {
    await ask(socket, { task: "run server", parameters });
    return await atScratchServer(scratchFolder, work);
  } finally {
    socket.destroy();
  }
}

async function ask(socket: Socket, request: ScratchRequest): Promise<ScratchAnswer> {
  const answered = readLine(socket, maxMessageBytes);
  socket.write(`${JSON.stringify(request)}\n`);
  const line = await answered.catch((error: unknown) => {
    throw unavailable(error);
  });
  const answer = scratchAnswerSchema.safeParse(JSON.parse(line)).data;
  if (answer?.failure === null) return answer;
  throw unavailable(answer?.failure ?? "it gave another answer than expected");
}

async function openControl(): Promise<Socket> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      const { code = "" } = error as { readonly code?: string };
      const isStarting = ["ENOENT", "ECONNREFUSED"].includes(code);
      if (!isStarting || Date.now() > deadline) throw unavailable(error);
    }
    await sleep(50);
  }
}

async function connect(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(controlSocket);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // Reads and writes fail with the error, too.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

function unavailable(reason: unknown): EnvironmentError {
  return new EnvironmentError(
    `the scratch container of this server cannot be used: ${messageOf(reason)}; run pulumi up again, which recreates it if it is not running`,
    { cause: reason },
  );
}
