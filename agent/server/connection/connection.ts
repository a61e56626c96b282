import { Client } from "pg";
import { compatibilityProblem, majorVersion } from "../../../model/connection/compatibility";
import type {
  ConnectionObservation,
  ConnectionRequest,
  ConnectionResult,
  ReachedServer,
} from "../../../model/connection/protocol";
import { connectionErrorText } from "../../../model/connection/connection-error";
import {
  clientConfig,
  currentConnection,
  isExternal,
  saveConnection,
  storedConnection,
} from "../../postgres/external-connection";
import { AgentError } from "../../system/errors";
import { connectFailure } from "../../postgres/connect";

interface Facts extends ReachedServer {
  readonly version: number;
  readonly isSuperuser: boolean;
  readonly isStandby: boolean;
}

/** Connects to an external server, checks that the agent can manage it, and saves the connection. */
export async function ensureConnection(request: ConnectionRequest): Promise<ConnectionResult> {
  const { server, ...to } = request;
  if (!isExternal)
    throw new AgentError(
      `${server} runs PostgreSQL beside this agent, so it takes no address; an external server is an ExternalPostgres`,
    );
  const { version, isSuperuser, isStandby, ...reached } = await inspect(to);
  const problem = compatibilityProblem({ ...to, version, isSuperuser, isStandby });
  if (problem !== undefined) throw new AgentError(problem);
  const connection = { ...request, major: majorVersion(version) };
  const changed = JSON.stringify(sorted(connection)) !== JSON.stringify(sorted(storedConnection()));
  if (changed) await saveConnection(connection);
  return { ...reached, changed };
}

/** The connection to an external server, and what it reports; `undefined` for a server beside the agent. Read-only. */
export async function observeConnection(
  client: Client,
): Promise<ConnectionObservation | undefined> {
  const connection = currentConnection();
  if (!connection) return undefined;
  const { host, port, user } = connection;
  const { postgres, hbaFile, dataDirectory, clientAddress } = await factsOf(client);
  return { host, port, user, postgres, hbaFile, dataDirectory, clientAddress };
}

async function inspect(to: Omit<ConnectionRequest, "server">): Promise<Facts> {
  // Without the options of other sessions, some of which an old server rejects.
  const client = new Client({
    ...clientConfig(to),
    database: "postgres",
    application_name: "stagecraft-agent",
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new AgentError(connectionErrorText(to, connectFailure(error)), { cause: error });
  }
  try {
    return await factsOf(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function factsOf(client: Client): Promise<Facts> {
  const { rows } = await client.query<Omit<Facts, "hbaFile" | "dataDirectory">>(
    `SELECT current_setting('server_version_num')::int AS version, split_part(current_setting('server_version'), ' ', 1) AS postgres,
            rolsuper AS "isSuperuser", pg_is_in_recovery() AS "isStandby", host(inet_client_addr()) AS "clientAddress"
     FROM pg_roles WHERE rolname = current_user`,
  );
  const [found] = rows;
  if (!found) throw new Error("pg_roles has no row of the current user");
  // Only a superuser may read these.
  if (!found.isSuperuser) return { ...found, hbaFile: "", dataDirectory: "" };
  const { rows: paths } = await client.query<Pick<Facts, "hbaFile" | "dataDirectory">>(
    `SELECT current_setting('hba_file') AS "hbaFile", current_setting('data_directory') AS "dataDirectory"`,
  );
  return { ...found, ...(paths[0] ?? { hbaFile: "", dataDirectory: "" }) };
}

function sorted(value: object | undefined): [string, unknown][] {
  return Object.entries(value ?? {}).sort(([a], [b]) => a.localeCompare(b));
}
