import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { goodbye, readAnswer, startupMessage, tlsRequest, type Answer } from "./startup";

/** A connection to be begun: where, how, as whom and into what. */
export interface Knock {
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
const patienceMs = 5000;

/**
 * Begins a connection as far as the server's first question and leaves it unanswered, which PostgreSQL does not count
 * as a failed login. Rejects when there is no answer.
 */
export async function knock({ to, tls, ...who }: Knock): Promise<Answer> {
  let socket: Socket = connect(to);
  try {
    await until(socket, (done) => socket.once("connect", done));
    if (tls) {
      const offer = await exchange(socket, tlsRequest, (received) => received.toString("latin1"));
      if (offer !== "S") return { kind: "no TLS" };
      socket = connectTls({ socket, rejectUnauthorized: false });
      await until(socket, (done) => socket.once("secureConnect", done));
    }
    const answer = await exchange(socket, startupMessage(parameters(who)), readAnswer);
    await leave(socket, answer);
    return answer;
  } finally {
    socket.destroy();
  }
}

function parameters({
  user,
  database,
  replication,
}: Pick<Knock, "user" | "database" | "replication">): Readonly<Record<string, string>> {
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
  return until(socket, (done, failed) => {
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
async function leave(socket: Socket, answer: Answer): Promise<void> {
  if (answer.kind === "let in" && answer.then === undefined) socket.write(goodbye);
  const gone = new Promise((resolve) => socket.once("close", resolve));
  socket.setTimeout(patienceMs, () => socket.destroy());
  socket.end();
  await gone;
}

/** Waits for what `begin` listens for; rejects when the connection ends or takes too long before that. */
async function until<T>(
  socket: Socket,
  begin: (done: (value: T) => void, failed: (error: unknown) => void) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(reject, patienceMs, new Error("no answer within 5 s"));
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
