import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { formatAddress } from "../../model/connection/address";
import {
  isAuthenticationError,
  connectionErrorText,
} from "../../model/connection/connection-error";
import { serverLogCommand } from "./container";
import { clientConfig, currentConnection, type Connection } from "./external-connection";
import { AgentError, EnvironmentError, messageOf } from "../system/errors";
import { rejectEventTriggers } from "./event-triggers";
import { currentSocketFolder } from "./target";

/** No timeouts. */
const noTimeouts = {
  statement_timeout: "0",
  lock_timeout: "0",
  transaction_timeout: "0",
  idle_session_timeout: "0",
  idle_in_transaction_session_timeout: "0",
};

/**
 * Parameters of the superuser's sessions: messages in English, because the agent parses them, no timeouts, and nothing
 * that a database's owner could set to have code run: startup parameters override `ALTER DATABASE … SET`.
 */
const superuserSettings = {
  ...noTimeouts,
  lc_messages: "C",
  default_transaction_read_only: "off",
  search_path: "pg_catalog, pg_temp",
  role: "none",
  event_triggers: "off",
  local_preload_libraries: "",
  standard_conforming_strings: "on",
  // An error instead of missing rows, where the agent's role is not a superuser.
  row_security: "off",
};

/** Parameters of a session that runs a user's SQL, by {@link RestrictedLogin}: the database's own settings apply. */
export const ownSqlSettings: SessionSettings = {
  ...noTimeouts,
  default_transaction_read_only: "off",
};

/** Parameters of a session by name. */
export type SessionSettings = Readonly<Record<string, string>>;

/** Major version that introduced a parameter. */
const parameterSince: Readonly<Record<string, number>> = {
  transaction_timeout: 17,
  event_triggers: 17,
};

/** Parameters of a superuser's session as startup options for `libpq` and `pg`. */
export function sessionOptions(more: SessionSettings = {}): string {
  return renderOptions({ ...superuserSettings, ...settingsOfMajor(serverMajor()), ...more });
}

/** Parameters as startup options, without those that the external server does not have. */
export function renderOptions(settings: SessionSettings): string {
  return Object.entries(supportedSettings(settings))
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, "\\$&")}`)
    .join(" ");
}

/** The parameters that the server has. */
export function supportedSettings(settings: SessionSettings): SessionSettings {
  const major = serverMajor();
  return Object.fromEntries(
    Object.entries(settings).filter(([name]) => major >= (parameterSince[name] ?? 0)),
  );
}

/** Major version of an external server; that of the image counts as the newest. */
function serverMajor(): number {
  return currentConnection()?.major ?? Infinity;
}

/**
 * Parameters of the superuser's sessions that a major version needs in addition: before `event_triggers` existed, only a
 * replica's session fires none but those that {@link rejectEventTriggers} finds.
 */
export function settingsOfMajor(major: number): SessionSettings {
  const hasParameter = major >= (parameterSince["event_triggers"] ?? 0);
  return hasParameter ? {} : { session_replication_role: "replica" };
}

/**
 * Connects as the superuser, over the socket or to the external server. Parameters that the database's owner has set for it
 * do not apply. The caller must end the connection.
 */
export async function connect(database: string, settings: SessionSettings = {}): Promise<Client> {
  const client = await openConnection(database, sessionOptions(settings));
  try {
    // The superuser's own database has no other owner.
    if (database !== "postgres") await client.query(resetDatabaseSettings);
    if ("session_replication_role" in settingsOfMajor(serverMajor()))
      await rejectEventTriggers(client, database);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    if (error instanceof AgentError) throw error;
    throw new EnvironmentError(connectFailureText(currentConnection(), error), { cause: error });
  }
}

/** Gives PostgreSQL's default to each parameter that `ALTER DATABASE … SET` has changed for this session. */
const resetDatabaseSettings = `
  SELECT pg_catalog.set_config(name, boot_val, false) FROM pg_catalog.pg_settings
  WHERE source IN ('database', 'database user') AND context IN ('user', 'superuser') AND boot_val IS NOT NULL`;

/** Opens a connection. @param login The user and password to log in with. @default the superuser */
export async function openConnection(
  database: string,
  options: string,
  login?: { readonly user: string; readonly password: string },
): Promise<Client> {
  const external = currentConnection();
  const client = new Client({
    ...(external ? clientConfig(external) : { host: currentSocketFolder(), user: "postgres" }),
    ...login,
    database,
    options,
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
