import type { Client } from "pg";
import { whoCan } from "../../../model/pg-hba/rule/evaluate";
import { parsePgHba } from "../../../model/pg-hba/text/parse";
import type {
  HbaLocation,
  HbaTrial,
  PgHbaRequest,
  RequiredConnection,
} from "../../../model/pg-hba/rule/protocol";
import { currentConnection, type Connection } from "../../postgres/external-connection";
import { AgentError, messageOf } from "../../system/errors";
import { connect, waitForPostgres, withConnection } from "../../postgres/connect";
import { requireValidRules } from "./check-file";
import { rolledBackText } from "./locked-out";
import { readExternalFile } from "./observe";
import { reloadRules } from "./reload";
import { tryConnections } from "./try-connections";

/** Checks new rules for an external server with a scratch PostgreSQL, before they are copied there. Returns where the file is. */
export async function checkExternalPgHba(request: PgHbaRequest): Promise<HbaLocation> {
  externalConnection(request.server);
  await requireValidRules(request.text, request.server);
  await waitForPostgres(60);
  return withConnection("postgres", async (client) => {
    const { rows } = await client.query<HbaLocation>(
      `SELECT current_setting('hba_file') AS "hbaFile", current_setting('data_directory') AS "dataDirectory"`,
    );
    return rows[0] ?? { hbaFile: "", dataDirectory: "" };
  });
}

/**
 * Reloads rules that have been copied to the external server, and tries them: a new connection of the agent, and the
 * required connections that the agent can test from its address. The caller rolls the file back on outcome `back`.
 */
export async function tryExternalPgHba(request: PgHbaRequest): Promise<HbaTrial> {
  const connection = externalConnection(request.server);
  const problem = await reloadAndTry(request, connection).catch(
    (error: unknown) =>
      `pg_hba of ${request.server} was not changed: ${messageOf(error)}\nThe previous rules are active.`,
  );
  return problem === undefined ? { outcome: "keep", text: "" } : { outcome: "back", text: problem };
}

function externalConnection(server: string): Connection {
  const connection = currentConnection();
  if (connection) return connection;
  throw new AgentError(
    `${server} is not an external server: its agent changes pg_hba.conf itself; call pg-hba instead`,
  );
}

async function reloadAndTry(
  { server, text, required }: PgHbaRequest,
  { host, port, user, sslmode }: Connection,
): Promise<string | undefined> {
  const client = await connect("postgres");
  try {
    if ((await readExternalFile(client)).toString("utf8") !== text)
      throw new AgentError(
        "pg_hba.conf on the server differs from the new rules; check whether someone else has changed it",
      );
    await reloadRules(client, text);
    const agent: RequiredConnection = {
      name: "the agent",
      user,
      database: "postgres",
      over: sslmode === "disable" ? "plain" : "tls",
      method: "scram-sha-256",
    };
    try {
      await (await connect("postgres")).end();
    } catch (error) {
      const fix =
        "set pgHba.agent to the address from which the server sees the agent connect, so that a rule accepts it";
      return rolledBackText(server, [{ connection: agent, reason: messageOf(error), fix }]);
    }
    const testable = await testableFromAgent(client, text, required);
    const lockedOut = await tryConnections(testable, { host, port });
    return lockedOut.length === 0 ? undefined : rolledBackText(server, lockedOut);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The required connections that the rules treat the same when they come from the agent's address. */
async function testableFromAgent(
  client: Client,
  text: string,
  required: readonly RequiredConnection[],
): Promise<RequiredConnection[]> {
  const { rows } = await client.query<{ address: string }>(
    "SELECT host(inet_client_addr()) AS address",
  );
  const address = rows[0]?.address ?? "";
  const { rules } = parsePgHba(text);
  return required.filter(
    ({ user, database, over, method }) =>
      whoCan(rules, { user, database, address, tls: over === "tls" }).method === method,
  );
}
