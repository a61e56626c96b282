import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  terminateMessage,
  readAnswer,
  startupMessage,
  sslRequest,
  type Answer,
} from "./startup-messages";

/** A connection attempt: address, TLS, user and database. */
export interface Probe {
  /** Path of the Unix socket, or an address and, if this machine has several, the local one to connect from. */
  readonly to:
    | { readonly path: string }
    | { readonly host: string; readonly port: number; readonly localAddress?: string };
  /** Whether to request TLS. The server's certificate is not verified. */
  readonly tls: boolean;
  readonly user: string;
  readonly database: string;
  /** Whether to connect for physical replication; `database` is then not sent. */
  readonly replication: boolean;
}

/** Timeout of each step of the attempt. */
const timeoutMs = 5000;

/**
 * Starts a connection up to the server's first authentication request and closes it without an answer, which PostgreSQL
 * does not count as a failed login. Throws when the server does not answer.
 */
export async function probe({ to, tls, ...session }: Probe): Promise<Answer> {
  let socket: Socket = connect(to);
  try {
    await waitFor(socket, (done) => socket.once("connect", done));
    if (tls) {
      const reply = await exchange(socket, sslRequest, (received) => received.toString("latin1"));
      if (reply !== "S") return { kind: "no TLS" };
      socket = connectTls({ socket, rejectUnauthorized: false });
      await waitFor(socket, (done) => socket.once("secureConnect", done));
    }
    const answer = await exchange(socket, startupMessage(parameters(session)), readAnswer);
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

/** Sends a message and collects the reply until `read` can parse it. */
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

/** Closes the connection properly, because PostgreSQL logs one that breaks off, and waits until it is closed. */
async function close(socket: Socket, answer: Answer): Promise<void> {
  if (answer.kind === "accepted" && answer.sessionError === undefined)
    socket.write(terminateMessage);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.setTimeout(timeoutMs, () => socket.destroy());
  socket.end();
  await closed;
}

/** Waits for the event that `listen` registers; throws when the connection ends or the timeout passes before. */
async function waitFor<T>(
  socket: Socket,
  listen: (done: (value: T) => void, failed: (error: unknown) => void) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(reject, timeoutMs, new Error("no answer within 5 s"));
      socket.on("error", reject);
      socket.once("end", () => {
        reject(new Error("the connection was closed without an answer"));
      });
      listen(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
  }
}
