import type { ServerKind } from "../../base/names";
import { databaseRoles, monitorRole, sessionRolePrefix, superuser } from "../../roles/names";
import { whoCan } from "../rule/evaluate";
import type { RequiredAccess } from "./finding";
import type { RequiredConnection } from "../rule/protocol";
import type { PgHbaRule } from "../rule/rule";

/** The server's own networks, which include its agent's. */
export const ownNetwork = "samenet";

/** Connections that must always work: the agent's, and those of the application, reports and monitoring from the application's network, in production with TLS. */
export function requiredAccess(
  kind: ServerKind,
  database: string,
  application: string = ownNetwork,
): readonly RequiredAccess[] {
  const { application: user, readonly } = databaseRoles(database);
  // The base address of the network stands for all its addresses.
  const from = { address: application.replace(/\/\d+$/, ""), tls: kind === "production", database };
  return [
    { name: "the agent", user: superuser, database: "postgres", methods: ["peer"] },
    {
      name: "the agent's restricted logins",
      user: `${sessionRolePrefix}0`,
      database,
      methods: ["scram-sha-256", "trust"],
    },
    { name: "the application", user, ...from },
    { name: "reports", user: readonly, ...from },
    { name: "monitoring", user: monitorRole, ...from },
  ];
}

/** The required connections that the agent can test, with the method that the rules require. */
export function testableConnections(
  rules: readonly PgHbaRule[],
  required: readonly RequiredAccess[],
): readonly RequiredConnection[] {
  return required.flatMap((access): RequiredConnection[] => {
    const { name, user, database, address, tls = false } = access;
    if (address !== undefined && address !== ownNetwork) return [];
    const over = address === undefined ? "socket" : tls ? "tls" : "plain";
    return [{ name, user, database, over, method: whoCan(rules, access).method }];
  });
}
