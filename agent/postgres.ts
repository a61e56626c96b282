import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { AgentError, messageOf } from "./errors";

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

/** Session settings as `libpq` and `pg` take them at connection start. */
export function sessionOptions(more: Readonly<Record<string, string>> = {}): string {
  return Object.entries({ ...sessionSettings, ...more })
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, "\\$&")}`)
    .join(" ");
}

/** Connects as the superuser over the socket; there is no password. The caller ends the connection. */
export async function connect(
  database: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const client = new Client({
    host: socketFolder,
    user: "postgres",
    database,
    options: sessionOptions(settings),
    application_name: "stagecraft-agent",
  });
  // Without a listener a lost connection would end the process; the query under way fails in any case.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new AgentError(`PostgreSQL does not let the agent in: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return client;
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
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      await withConnection("postgres", async (client) => client.query("SELECT"));
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new AgentError(
          `PostgreSQL did not take connections within ${seconds} s (${messageOf(error)}); look at: docker logs of its container`,
          { cause: error },
        );
      }
      await sleep(200);
    }
  }
}
