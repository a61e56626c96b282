import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { checkServerIdentity } from "node:tls";
import type { ClientConfig } from "pg";
import { z } from "zod";
import { connectionRequestSchema, type ConnectionRequest } from "../../model/connection/protocol";
import { renderPassfile } from "../../model/connection/passfile";
import { AgentError } from "../system/errors";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { currentSocketFolder, isAtScratchServer } from "./target";

/** Whether PostgreSQL is an external server and not a container beside the agent. */
export const isExternal = process.env.STAGECRAFT_COUPLING === "external";

/** Files of the agent's volume, readable only by the agent. */
const files = { connection: "connection.json", password: "connection.pass", ca: "connection.ca" };

const connectionSchema = z.strictObject({
  ...connectionRequestSchema.shape,
  /** Major version of PostgreSQL, which decides the parameters a session can set. */
  major: z.number(),
});
/** Connection to an external server. */
export type Connection = z.infer<typeof connectionSchema>;

/** Seconds to wait for an external server to accept a connection. */
const connectTimeoutSeconds = 10;

/** The connection to the external server; `undefined` for a server that is reached over its socket. */
export function currentConnection(): Connection | undefined {
  if (!isExternal || isAtScratchServer()) return undefined;
  const stored = storedConnection();
  if (stored) return stored;
  throw new AgentError(
    "the agent has no connection to the external server yet; run pulumi up again",
  );
}

/** The connection that was saved last; `undefined` before the first. */
export function storedConnection(): Connection | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(stateFolder, files.connection), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return connectionSchema.parse(JSON.parse(text));
}

/** Saves the connection to the server, also in the files that libpq reads. */
export async function saveConnection(connection: Connection): Promise<void> {
  await writeStateFile(files.password, renderPassfile(connection.password));
  if (connection.ca === undefined) await rm(path.join(stateFolder, files.ca), { force: true });
  else await writeStateFile(files.ca, connection.ca);
  await writeStateFile(files.connection, JSON.stringify(connection));
}

/** Connection options for `pg`. */
export function clientConfig({
  host,
  port,
  user,
  password,
  ca,
  sslmode,
}: Omit<ConnectionRequest, "server">): ClientConfig {
  const isVerified = sslmode === "verify-full";
  const ssl = {
    rejectUnauthorized: isVerified,
    ...(ca === undefined ? {} : { ca }),
    // Node does not pass on the host of a connection to an IP address.
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      isVerified ? checkServerIdentity(host, certificate) : undefined,
  };
  return {
    host,
    port,
    user,
    password,
    ssl: sslmode === "disable" ? false : ssl,
    connectionTimeoutMillis: connectTimeoutSeconds * 1000,
    keepAlive: true,
  };
}

/** Connection options as libpq's environment variables; the password stays in its file. PostgreSQL manual, 32.15. */
export function libpqEnvironment(): NodeJS.ProcessEnv {
  const connection = currentConnection();
  if (!connection) return { PGHOST: currentSocketFolder(), PGUSER: "postgres" };
  const { host, port, user, ca, sslmode } = connection;
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSFILE: path.join(stateFolder, files.password),
    PGSSLMODE: sslmode,
    ...(sslmode === "verify-full" && {
      PGSSLROOTCERT: ca === undefined ? "system" : path.join(stateFolder, files.ca),
    }),
    PGGSSENCMODE: "disable",
    PGCONNECT_TIMEOUT: String(connectTimeoutSeconds),
  };
}

/**
 * Throws an {@link AgentError} on an external server, for what needs access to the server's machine.
 *
 * @param what Subject and verb of the message, e.g. `parameters are`.
 */
export function rejectExternal(server: string, what: string): void {
  if (!isExternal) return;
  throw new AgentError(
    `${what} not managed on an external server: Stagecraft did not create ${server} and manages only its roles and databases; leave it out of the stack, or change it on the server itself`,
  );
}
