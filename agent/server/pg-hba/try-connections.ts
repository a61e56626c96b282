import path from "node:path";
import type { RequiredConnection } from "../../../model/pg-hba/rule/protocol";
import { formatRule } from "../../../model/pg-hba/text/render";
import type { AuthMethod } from "../../../model/pg-hba/rule/rule";
import { nameToken } from "../../../model/pg-hba/rule/token";
import { AgentError, messageOf } from "../../system/errors";
import { socketFolder } from "../../postgres/target";
import { postgresHostName, serverLogCommand } from "../../postgres/container";
import { probe, type Probe } from "./probe";
import type { LockedOut } from "./locked-out";
import type { Answer, AuthRequest } from "./startup-messages";

/** PostgreSQL's port in the server's network. */
const port = 5432;

/** The agent's own connection; without it the agent could not change the rules again. */
export const agentConnection: RequiredConnection = {
  name: "the agent",
  user: "postgres",
  database: "postgres",
  over: "socket",
  method: "peer",
};

/** Network address of a server. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Tries connections against the active rules, all at the same time. Returns those that fail.
 *
 * @param to Address of an external server. @default the server beside the agent
 */
export async function tryConnections(
  required: readonly RequiredConnection[],
  to?: Address,
): Promise<LockedOut[]> {
  const problems = await Promise.all(
    required.map(async (connection) => tryConnection(connection, to)),
  );
  return problems.filter((problem) => problem !== undefined);
}

async function tryConnection(
  connection: RequiredConnection,
  to: Address | undefined,
): Promise<LockedOut | undefined> {
  try {
    return checkAnswer(connection, await probe(probeOf(connection, to)));
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const reason = `PostgreSQL did not answer: ${messageOf(error)}`;
    return { connection, reason, fix: to ? "check its log" : `check: ${serverLogCommand}` };
  }
}

function probeOf({ user, database, over }: RequiredConnection, address?: Address): Probe {
  const replication = database === "replication";
  const to =
    over === "socket"
      ? { path: path.join(socketFolder, `.s.PGSQL.${port}`) }
      : (address ?? { host: postgresHost(), port });
  return { to, tls: over === "tls", user, database, replication };
}

function postgresHost(): string {
  if (postgresHostName === undefined)
    throw new AgentError(
      "STAGECRAFT_POSTGRES_HOST is not set, because an older version created the agent's container; run pulumi up again",
    );
  return postgresHostName;
}

/** Authentication requests that a method leads to; `undefined` means that there is none. */
const authRequestsOf: Readonly<Record<AuthMethod, readonly (AuthRequest | undefined)[]>> = {
  trust: [undefined],
  reject: [],
  "scram-sha-256": ["scram-sha-256"],
  // For a password stored as a SCRAM verifier, md5 means SCRAM. PostgreSQL manual, 20.5.
  md5: ["md5", "scram-sha-256"],
  password: ["password"],
  gss: ["gss"],
  sspi: ["sspi"],
  ident: [undefined],
  peer: [undefined],
  ldap: ["password"],
  radius: ["password"],
  cert: [undefined],
  pam: ["password"],
  bsd: ["password"],
  oauth: ["oauth"],
};

/** Errors that show that the right rule matched: the agent is not that user, so the method must reject it. */
const expectedErrors: Partial<Readonly<Record<AuthMethod, RegExp>>> = {
  peer: /^Peer authentication failed/,
  ident: /^Ident authentication failed/,
  cert: /^connection requires a valid client certificate|^certificate authentication failed/,
};

function checkAnswer(connection: RequiredConnection, answer: Answer): LockedOut | undefined {
  const { method } = connection;
  switch (answer.kind) {
    case "accepted":
      return checkAuthRequest(connection, undefined);
    case "authentication requested":
      return checkAuthRequest(connection, answer.request);
    case "no TLS":
      return {
        connection,
        reason: "TLS is off in PostgreSQL",
        fix: "enable TLS for this server, or allow this connection without TLS",
      };
    case "rejected": {
      const { code, message } = answer.error;
      if (expectedErrors[method]?.test(message) === true) return undefined;
      return { connection, reason: `${code}  ${message}`, fix: fixOf(connection, message) };
    }
  }
}

function checkAuthRequest(
  connection: RequiredConnection,
  request: AuthRequest | undefined,
): LockedOut | undefined {
  const { method } = connection;
  if (authRequestsOf[method].includes(request)) return undefined;
  const requested = request === undefined ? "requests no authentication" : `requests ${request}`;
  return {
    connection,
    reason: `PostgreSQL ${requested}, but ${method} is required`,
    fix: `another rule matches first; put this one above it: ${ruleFor(connection)}`,
  };
}

function fixOf(connection: RequiredConnection, message: string): string {
  const rule = ruleFor(connection);
  if (message.startsWith("no pg_hba.conf entry")) return `add the rule: ${rule}`;
  if (message.startsWith("pg_hba.conf rejects"))
    return `add this rule above the one that rejects the connection: ${rule}`;
  return `make this rule the first that matches: ${rule}`;
}

function ruleFor({ user, database, over, method }: RequiredConnection): string {
  const who = {
    databases: [database === "replication" ? database : nameToken(database)],
    users: [nameToken(user)],
    method,
  };
  if (over === "socket") return formatRule({ type: "local", ...who });
  return formatRule({ type: over === "tls" ? "hostssl" : "host", address: "samenet", ...who });
}
