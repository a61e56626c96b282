import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { formatAddress } from "../../model/connection/address";
import {
  isAuthenticationError,
  connectionErrorText,
} from "../../model/connection/connection-error";
import { serverLogCommand } from "./container";
import { clientConfig, currentConnection, type Connection } from "./external-connection";
import { EnvironmentError, messageOf } from "../system/errors";

/** Directory of PostgreSQL's Unix socket, shared by the two containers of a server. */
export const socketFolder = process.env.PGHOST ?? "/run/postgresql";

/** Parameters of every session of the agent: messages in English, because the agent parses them, and no timeouts. */
const sessionSettings = {
  lc_messages: "C",
  statement_timeout: "0",
  lock_timeout: "0",
  transaction_timeout: "0",
  idle_session_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  default_transaction_read_only: "off",
};

/** Major version that introduced a parameter. */
const parameterSince: Readonly<Record<string, number>> = {
  transaction_timeout: 17,
  event_triggers: 17,
};

/** Session parameters as a startup option string for `libpq` and `pg`. */
export function sessionOptions(more: Readonly<Record<string, string>> = {}): string {
  const major = currentConnection()?.major ?? Infinity;
  return Object.entries({ ...sessionSettings, ...more })
    .filter(([name]) => major >= (parameterSince[name] ?? 0))
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, "\\$&")}`)
    .join(" ");
}

/** Connects as the superuser, over the socket or to the external server. The caller must end the connection. */
export async function connect(
  database: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const external = currentConnection();
  const client = new Client({
    ...(external ? clientConfig(external) : { host: socketFolder, user: "postgres" }),
    database,
    options: sessionOptions(settings),
    application_name: "stagecraft-agent",
  });
  // Without a listener a lost connection would end the process; the running query fails in any case.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new EnvironmentError(connectFailureText(external, error), { cause: error });
  }
  return client;
}

function connectFailureText(external: Connection | undefined, error: unknown): string {
  if (external) return connectionErrorText(external, connectFailure(error));
  return `the agent cannot connect to PostgreSQL: ${messageOf(error)}`;
}

/** Code and message of a failed connection attempt. For a host name with several addresses: those of the last one. */
export function connectFailure(error: unknown): { code?: string | undefined; message: string } {
  const { code } = error as { code?: string };
  if (error instanceof AggregateError && error.errors.length > 0)
    return { code, message: messageOf(error.errors.at(-1)) };
  return { code, message: messageOf(error) };
}

/** Runs `work` on a new connection, and closes it. */
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

/** Waits until PostgreSQL accepts connections; throws the reason after `seconds`. */
export async function waitForPostgres(seconds: number): Promise<void> {
  const external = currentConnection();
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      await withConnection("postgres", async (client) => client.query("SELECT"));
      return;
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (external && isAuthenticationError(connectFailure(cause).code)) throw error;
      if (Date.now() > deadline) {
        const where = external ? ` at ${formatAddress(external)}` : "";
        const fix = external ? "check its log" : `check: ${serverLogCommand}`;
        throw new EnvironmentError(
          `PostgreSQL${where} did not accept connections within ${seconds} s (${messageOf(error)}); ${fix}`,
          { cause: error },
        );
      }
      await sleep(200);
    }
  }
}
