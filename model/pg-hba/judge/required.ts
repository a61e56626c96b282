import type { ServerKind } from "../../base/names";
import { databaseRoles, monitorRole, superuser } from "../../roles/names";
import { whoCan } from "../rule/evaluate";
import type { RequiredAccess } from "./finding";
import type { RequiredConnection } from "../rule/protocol";
import type { PgHbaRule } from "../rule/rule";

/** The server's own networks, of which its agent is part. */
export const ownNetwork = "samenet";

/** Who must always come in: the agent, and from the application's network the roles that work there, on production by TLS. */
export function requiredAccess(
  kind: ServerKind,
  database: string,
  application: string = ownNetwork,
): readonly RequiredAccess[] {
  const { application: user, readonly } = databaseRoles(database);
  // The address of a network is an address in it.
  const from = { address: application.replace(/\/\d+$/, ""), tls: kind === "production", database };
  return [
    { name: "the agent", user: superuser, database: "postgres", methods: ["peer"] },
    { name: "the application", user, ...from },
    { name: "reports", user: readonly, ...from },
    { name: "monitoring", user: monitorRole, ...from },
  ];
}

/** Those that can be tried from the agent's place, with the method that the rules ask for. */
export function triedConnections(
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
