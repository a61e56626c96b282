import { Client } from "pg";
import { fitnessProblem, majorOf } from "../../../model/connection/compatibility";
import type {
  ConnectionObservation,
  ConnectionRequest,
  ConnectionResult,
  Reached,
} from "../../../model/connection/protocol";
import { refusalText } from "../../../model/connection/refusal";
import {
  clientConfig,
  currentConnection,
  isExternal,
  saveConnection,
  storedConnection,
} from "../../postgres/external-connection";
import { AgentError } from "../../system/errors";
import { connectFailure } from "../../postgres/connect";

interface Facts extends Reached {
  readonly version: number;
  readonly isSuperuser: boolean;
  readonly isStandby: boolean;
}

/** Connects to the server at an address, makes sure that it can be looked after, and keeps the way to it. */
export async function ensureConnection(request: ConnectionRequest): Promise<ConnectionResult> {
  const { server, ...to } = request;
  if (!isExternal)
    throw new AgentError(
      `${server} has its PostgreSQL beside this agent, so it takes no address; a server elsewhere is an ExternalPostgres`,
    );
  const { version, isSuperuser, isStandby, ...reached } = await look(to);
  const problem = fitnessProblem({ ...to, version, isSuperuser, isStandby });
  if (problem !== undefined) throw new AgentError(problem);
  const wanted = { ...request, major: majorOf(version) };
  const changed = JSON.stringify(sorted(wanted)) !== JSON.stringify(sorted(storedConnection()));
  if (changed) await saveConnection(wanted);
  return { ...reached, changed };
}

/** Tells of the way to a server elsewhere, and changes nothing; `undefined` for the agent's own. */
export async function observeConnection(
  client: Client,
): Promise<ConnectionObservation | undefined> {
  const connection = currentConnection();
  if (!connection) return undefined;
  const { host, port, user } = connection;
  const { postgres, hbaFile, dataDirectory, clientAddress } = await factsOf(client);
  return { host, port, user, postgres, hbaFile, dataDirectory, clientAddress };
}

async function look(to: Omit<ConnectionRequest, "server">): Promise<Facts> {
  // Without the options of other sessions, which an old server would not know.
  const client = new Client({
    ...clientConfig(to),
    database: "postgres",
    application_name: "stagecraft-agent",
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new AgentError(refusalText(to, connectFailure(error)), { cause: error });
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
  if (!found) throw new Error("PostgreSQL does not know who asks");
  // Only a superuser is told of these.
  if (!found.isSuperuser) return { ...found, hbaFile: "", dataDirectory: "" };
  const { rows: places } = await client.query<Pick<Facts, "hbaFile" | "dataDirectory">>(
    `SELECT current_setting('hba_file') AS "hbaFile", current_setting('data_directory') AS "dataDirectory"`,
  );
  return { ...found, ...(places[0] ?? { hbaFile: "", dataDirectory: "" }) };
}

function sorted(value: object | undefined): [string, unknown][] {
  return Object.entries(value ?? {}).sort(([a], [b]) => a.localeCompare(b));
}
