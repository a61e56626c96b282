import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  terminateMessage,
  readAnswer,
  startupMessage,
  sslRequest,
  type Answer,
} from "./startup-messages";

/** A connection to be begun: where, how, as whom and into what. */
export interface Probe {
  /** The file of the Unix socket, or an address and, where this machine has several, the one to come from. */
  readonly to:
    | { readonly path: string }
    | { readonly host: string; readonly port: number; readonly localAddress?: string };
  /** Whether to ask for TLS first. Whose certificate the server shows does not matter here. */
  readonly tls: boolean;
  readonly user: string;
  readonly database: string;
  /** As a replica, which is in no database: `database` is then not sent. */
  readonly replication: boolean;
}

/** How long a server may take to answer. */
const timeoutMs = 5000;

/**
 * Begins a connection as far as the server's first question and leaves it unanswered, which PostgreSQL does not count
 * as a failed login. Rejects when there is no answer.
 */
export async function probe({ to, tls, ...who }: Probe): Promise<Answer> {
  let socket: Socket = connect(to);
  try {
    await waitFor(socket, (done) => socket.once("connect", done));
    if (tls) {
      const offer = await exchange(socket, sslRequest, (received) => received.toString("latin1"));
      if (offer !== "S") return { kind: "no TLS" };
      socket = connectTls({ socket, rejectUnauthorized: false });
      await waitFor(socket, (done) => socket.once("secureConnect", done));
    }
    const answer = await exchange(socket, startupMessage(parameters(who)), readAnswer);
    await close(socket, answer);
    return answer;
  } finally {
    socket.destroy();
  }
}

function parameters({
  user,
  database,
  replication,
}: Pick<Probe, "user" | "database" | "replication">): Readonly<Record<string, string>> {
  const session = replication ? { replication: "true" } : { database };
  return { user, ...session, application_name: "stagecraft-agent" };
}

/** Sends something and collects what comes back until it makes sense. */
async function exchange<T>(
  socket: Socket,
  message: Buffer,
  read: (received: Buffer) => T | undefined,
): Promise<T> {
  let received: Buffer = Buffer.alloc(0);
  socket.write(message);
  return waitFor(socket, (done, failed) => {
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      try {
        const answer = read(received);
        if (answer !== undefined) done(answer);
      } catch (error) {
        failed(error);
      }
    });
  });
}

/** Ends the connection in order, because PostgreSQL logs one that breaks off, and waits until it has gone. */
async function close(socket: Socket, answer: Answer): Promise<void> {
  if (answer.kind === "let in" && answer.then === undefined) socket.write(terminateMessage);
  const gone = new Promise((resolve) => socket.once("close", resolve));
  socket.setTimeout(timeoutMs, () => socket.destroy());
  socket.end();
  await gone;
}

/** Waits for what `begin` listens for; rejects when the connection ends or takes too long before that. */
async function waitFor<T>(
  socket: Socket,
  begin: (done: (value: T) => void, failed: (error: unknown) => void) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(reject, timeoutMs, new Error("no answer within 5 s"));
      socket.on("error", reject);
      socket.once("end", () => {
        reject(new Error("the connection was closed without an answer"));
      });
      begin(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
  }
}
