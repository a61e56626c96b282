import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { formatAddress } from "../../model/connection/address";
import { isFinal, refusalText } from "../../model/connection/refusal";
import { clientConfig, currentConnection, type Connection } from "./external-connection";
import { EnvironmentError, messageOf } from "../system/errors";

/** The folder of PostgreSQL's Unix socket, shared by the two containers of a server. */
export const socketFolder = process.env.PGHOST ?? "/run/postgresql";

/** Settings of every session of ours, whatever the server's are: messages in English, because their texts are classified, and no limits. */
const sessionSettings = {
  lc_messages: "C",
  statement_timeout: "0",
  lock_timeout: "0",
  transaction_timeout: "0",
  idle_session_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  default_transaction_read_only: "off",
};

/** Settings that came with a major version. */
const parameterSince: Readonly<Record<string, number>> = {
  transaction_timeout: 17,
  event_triggers: 17,
};

/** Session settings as `libpq` and `pg` take them at connection start. */
export function sessionOptions(more: Readonly<Record<string, string>> = {}): string {
  const major = currentConnection()?.major ?? Infinity;
  return Object.entries({ ...sessionSettings, ...more })
    .filter(([name]) => major >= (parameterSince[name] ?? 0))
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, "\\$&")}`)
    .join(" ");
}

/** Connects as the superuser: over the socket, where there is no password, or to the address that was kept. The caller ends the connection. */
export async function connect(
  database: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const elsewhere = currentConnection();
  const client = new Client({
    ...(elsewhere ? clientConfig(elsewhere) : { host: socketFolder, user: "postgres" }),
    database,
    options: sessionOptions(settings),
    application_name: "stagecraft-agent",
  });
  // Without a listener a lost connection would end the process; the query under way fails in any case.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new EnvironmentError(connectFailureText(elsewhere, error), { cause: error });
  }
  return client;
}

function connectFailureText(elsewhere: Connection | undefined, error: unknown): string {
  if (elsewhere) return refusalText(elsewhere, connectFailure(error));
  return `PostgreSQL does not let the agent in: ${messageOf(error)}`;
}

/** What an attempt to connect ended with. A name with several addresses has a failure for each; the last one is told. */
export function connectFailure(error: unknown): { code?: string | undefined; message: string } {
  const { code } = error as { code?: string };
  if (error instanceof AggregateError && error.errors.length > 0)
    return { code, message: messageOf(error.errors.at(-1)) };
  return { code, message: messageOf(error) };
}

/** Runs `work` on a connection of its own. */
export async function withConnection<T>(
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(database);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Waits until PostgreSQL takes connections; says why not after `seconds`. */
export async function waitForPostgres(seconds: number): Promise<void> {
  const elsewhere = currentConnection();
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      await withConnection("postgres", async (client) => client.query("SELECT"));
      return;
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (elsewhere && isFinal(connectFailure(cause).code)) throw error;
      if (Date.now() > deadline) {
        const where = elsewhere ? ` at ${formatAddress(elsewhere)}` : "";
        const fix = elsewhere ? "look at its log" : "look at: docker logs of its container";
        throw new EnvironmentError(
          `PostgreSQL${where} did not take connections within ${seconds} s (${messageOf(error)}); ${fix}`,
          { cause: error },
        );
      }
      await sleep(200);
    }
  }
}
