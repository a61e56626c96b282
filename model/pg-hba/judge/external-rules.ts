import type { ServerKind } from "../../base/names";
import type { RequiredAccess } from "./finding";
import { presets, sessionUsers } from "../rule/presets";
import { requiredAccess } from "./required-access";
import type { PgHbaRule } from "../rule/rule";
import { nameToken } from "../rule/token";
import { sessionRolePrefix } from "../../roles/names";

/** Connections to an external server, which runs on a machine of its own. */
export interface ExternalAccess {
  readonly kind: ServerKind;
  /** The superuser that the agent connects as. */
  readonly superuser: string;
  /** The agent's source network, as the server sees it. */
  readonly agent: string;
  /** Whether the agent connects with TLS. */
  readonly tls: boolean;
  readonly database: string;
  /** The network that the application connects from. */
  readonly application: string;
}

/**
 * The preset of a server's kind for an external server: the agent connects over the network with a password, other network
 * connections as a superuser are rejected, and local connections use the operating system's user (`peer`).
 */
export function externalRules({
  kind,
  superuser,
  agent,
  tls,
  database,
  application,
}: ExternalAccess): readonly PgHbaRule[] {
  const networkRules = presets[kind]({ database, application }).filter(
    ({ type, method }) => type !== "local" && method !== "reject",
  );
  const local: PgHbaRule = { type: "local", databases: ["all"], users: ["all"], method: "peer" };
  const agentRule: PgHbaRule = {
    type: tls ? "hostssl" : "host",
    databases: ["all"],
    users: [nameToken(superuser), sessionUsers],
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
  return [local, agentRule, noSuperuser, ...networkRules];
}

/** Connections that must always work on an external server. */
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
    {
      name: "the agent's restricted logins",
      user: `${sessionRolePrefix}0`,
      database,
      address,
      tls,
      methods,
    },
    ...others,
  ];
}
