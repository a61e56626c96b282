import path from "node:path";
import type { RequiredConnection } from "../../../model/pg-hba/rule/protocol";
import { formatRule } from "../../../model/pg-hba/text/render";
import type { AuthMethod } from "../../../model/pg-hba/rule/rule";
import { nameToken } from "../../../model/pg-hba/rule/token";
import { AgentError, messageOf } from "../../system/errors";
import { socketFolder } from "../../postgres/connect";
import { probe, type Probe } from "./probe";
import type { LockedOut } from "./locked-out";
import type { Answer, AuthRequest } from "./startup-messages";

/** PostgreSQL's port, inside its own network always the usual one. */
const port = 5432;

/** The agent's own connection, without which no rule could be changed again. */
export const agentConnection: RequiredConnection = {
  name: "the agent",
  user: "postgres",
  database: "postgres",
  over: "socket",
  method: "peer",
};

/** Where a server answers on the network. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Tries connections against the rules in force, all at once; those that fail.
 * @param to the server's address; left out for the agent's own
 */
export async function tryConnections(
  required: readonly RequiredConnection[],
  to?: Address,
): Promise<LockedOut[]> {
  const found = await Promise.all(required.map(async (one) => tryConnection(one, to)));
  return found.filter((problem) => problem !== undefined);
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
    return { connection, reason, fix: "look at: docker logs of its container" };
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

/** The name of PostgreSQL's container, which is its host name in the server's network. */
function postgresHost(): string {
  const name = process.env.STAGECRAFT_POSTGRES_HOST;
  if (name === undefined)
    throw new AgentError(
      "this agent does not know PostgreSQL's host name, because its container was made by an older version; run pulumi up again",
    );
  return name;
}

/** What the server asks, or says instead, when a method decides. `undefined` stands for nothing. */
const authRequestsOf: Readonly<Record<AuthMethod, readonly (AuthRequest | undefined)[]>> = {
  trust: [undefined],
  reject: [],
  "scram-sha-256": ["scram-sha-256"],
  // For a password that is kept as a SCRAM verifier, md5 means SCRAM. PostgreSQL manual, 20.5.
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

/** Methods that say who fails: the agent is not that person, so being told so is an answer of the right rule. */
const expectedErrors: Partial<Readonly<Record<AuthMethod, RegExp>>> = {
  peer: /^Peer authentication failed/,
  ident: /^Ident authentication failed/,
  cert: /^connection requires a valid client certificate|^certificate authentication failed/,
};

function checkAnswer(connection: RequiredConnection, answer: Answer): LockedOut | undefined {
  const { method } = connection;
  switch (answer.kind) {
    case "let in":
      return checkAuthRequest(connection, undefined);
    case "asked":
      return checkAuthRequest(connection, answer.question);
    case "no TLS":
      return {
        connection,
        reason: "PostgreSQL has TLS switched off",
        fix: "switch TLS on for this server, or let this connection in without",
      };
    case "refused": {
      const { code, message } = answer.refusal;
      if (expectedErrors[method]?.test(message) === true) return undefined;
      return { connection, reason: `${code}  ${message}`, fix: fixOf(connection, message) };
    }
  }
}

function checkAuthRequest(
  connection: RequiredConnection,
  question: AuthRequest | undefined,
): LockedOut | undefined {
  const { method } = connection;
  if (authRequestsOf[method].includes(question)) return undefined;
  const asked = question === undefined ? "nothing" : `for ${question}`;
  return {
    connection,
    reason: `PostgreSQL asks ${asked}, where ${method} is wanted`,
    fix: `another rule comes first; put this one above it: ${ruleFor(connection)}`,
  };
}

function fixOf(connection: RequiredConnection, message: string): string {
  const rule = ruleFor(connection);
  if (message.startsWith("no pg_hba.conf entry")) return `add the rule: ${rule}`;
  if (message.startsWith("pg_hba.conf rejects"))
    return `put above the rule that rejects it: ${rule}`;
  return `make sure that this rule is the first to match: ${rule}`;
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
