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

/** Whether the server is not in a container beside the agent, but somewhere of its own. */
export const isExternal = process.env.STAGECRAFT_COUPLING === "external";

/** Files of the agent's volume, readable by the agent alone. */
const files = { connection: "connection.json", password: "connection.pass", ca: "connection.ca" };

const connectionSchema = z.strictObject({
  ...connectionRequestSchema.shape,
  /** Major version, on which it depends what a session may be asked for. */
  major: z.number(),
});
/** The way to a server that is not the agent's own. */
export type Connection = z.infer<typeof connectionSchema>;

/** Seconds that a server somewhere else may take to answer. */
const connectTimeoutSeconds = 10;

/** The way to the server; `undefined` for the agent's own, which is reached by its socket. */
export function currentConnection(): Connection | undefined {
  if (!isExternal) return undefined;
  const kept = storedConnection();
  if (kept) return kept;
  throw new AgentError("the agent does not know yet where its server is; run pulumi up again");
}

/** What was kept last, if anything. */
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

/** Keeps the way to the server, also as libpq's programs read it. */
export async function saveConnection(connection: Connection): Promise<void> {
  await writeStateFile(files.password, renderPassfile(connection.password));
  if (connection.ca === undefined) await rm(path.join(stateFolder, files.ca), { force: true });
  else await writeStateFile(files.ca, connection.ca);
  await writeStateFile(files.connection, JSON.stringify(connection));
}

/** The way to a server, for `pg`. */
export function clientConfig({
  host,
  port,
  user,
  password,
  ca,
  sslmode,
}: Omit<ConnectionRequest, "server">): ClientConfig {
  const checked = sslmode === "verify-full";
  const ssl = {
    rejectUnauthorized: checked,
    ...(ca === undefined ? {} : { ca }),
    // Node forgets the host of a connection by address.
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checked ? checkServerIdentity(host, certificate) : undefined,
  };
  return {
    ...{ host, port, user, password },
    ssl: sslmode === "disable" ? false : ssl,
    connectionTimeoutMillis: connectTimeoutSeconds * 1000,
    keepAlive: true,
  };
}

/** The way to the server in libpq's environment variables; the password stays in its file. PostgreSQL manual, 32.15. */
export function libpqEnvironment(): NodeJS.ProcessEnv {
  const connection = currentConnection();
  if (!connection) return { PGUSER: "postgres" };
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

/** Refuses what only somebody on the server's machine can do. `what` begins the sentence: `settings are`. */
export function rejectExternal(server: string, what: string): void {
  if (!isExternal) return;
  throw new AgentError(
    `${what} the other server's own: ${server} was not made by Stagecraft, only its roles and databases are looked after; leave it out of the stack, or change it there`,
  );
}
