import type { ServerKind } from "../../base/names";
import type { RequiredAccess } from "./finding";
import { presets } from "../rule/presets";
import { requiredAccess } from "./required";
import type { PgHbaRule } from "../rule/rule";
import { nameToken } from "../rule/token";

/** Who comes to a server that is on a machine of its own. */
export interface ExternalAccess {
  readonly kind: ServerKind;
  /** The superuser that the agent is there. */
  readonly superuser: string;
  /** The network that the agent comes from, as the server sees it. */
  readonly agent: string;
  /** Whether the agent comes by TLS. */
  readonly tls: boolean;
  readonly database: string;
  /** The network that the application connects from. */
  readonly application: string;
}

/**
 * The preset of a server's kind, for a server on a machine of its own: the agent comes over the network with a password,
 * nobody else does so as a superuser, and on the machine itself everybody is who the operating system says.
 */
export function externalRules({
  kind,
  superuser,
  agent,
  tls,
  database,
  application,
}: ExternalAccess): readonly PgHbaRule[] {
  const everybody = presets[kind]({ database, application }).filter(
    ({ type, method }) => type !== "local" && method !== "reject",
  );
  const local: PgHbaRule = { type: "local", databases: ["all"], users: ["all"], method: "peer" };
  const agentRule: PgHbaRule = {
    type: tls ? "hostssl" : "host",
    databases: ["all"],
    users: [nameToken(superuser)],
    address: agent,
    method: "scram-sha-256",
  };
  const noSuperuser: PgHbaRule = {
    type: "host",
    databases: ["all"],
    users: [...new Set(["postgres", superuser])].map(nameToken),
    address: "all",
    method: "reject",
  };
  return [local, agentRule, noSuperuser, ...everybody];
}

/** Who must always come in to such a server. */
export function externalRequired({
  kind,
  superuser,
  agent,
  tls,
  database,
  application,
}: ExternalAccess): readonly RequiredAccess[] {
  const others = requiredAccess(kind, database, application).filter(
    ({ address }) => address !== undefined,
  );
  const address = agent.replace(/\/\d+$/, "");
  const methods = ["scram-sha-256", "md5", "password"] as const;
  return [
    { name: "the agent", user: superuser, database: "postgres", address, tls, methods },
    ...others,
  ];
}
