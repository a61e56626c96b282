import type { ServerKind } from "../../base/names";
import { databaseRoles, monitorRole, sessionRolePrefix, superuser } from "../../roles/names";
import { noNetwork } from "../rule/presets";
import { whoCan } from "../rule/evaluate";
import type { RequiredAccess } from "./finding";
import type { RequiredConnection } from "../rule/protocol";
import type { PgHbaRule } from "../rule/rule";

/** The server's own networks, which include its agent's. */
export const ownNetwork = "samenet";

/** Networks of single roles, or `none`. @default the application's */
export interface NarrowedAccess {
  readonly readonly?: string | undefined;
  readonly monitoring?: string | undefined;
}

/** Connections that must always work: the agent's, and those of the application, reports and monitoring from their networks, in production with TLS. */
export function requiredAccess(
  kind: ServerKind,
  database: string,
  application: string = ownNetwork,
  narrowed: NarrowedAccess = {},
): readonly RequiredAccess[] {
  const { application: user, readonly } = databaseRoles(database);
  const over = (
    name: string,
    user: string,
    network = application,
    key?: string,
  ): RequiredAccess[] => {
    if (network === noNetwork) return [];
    // The base address of the network stands for all its addresses.
    const address = network.replace(/\/\d+$/, "");
    const tls = kind === "production";
    return [{ name, user, address, tls, database, ...(key !== undefined && { key }) }];
  };
  return [
    { name: "the agent", user: superuser, database: "postgres", methods: ["peer"] },
    {
      name: "the agent's restricted logins",
      user: `${sessionRolePrefix}0`,
      database,
      methods: ["scram-sha-256", "trust"],
    },
    ...over("the application", user),
    ...over("reports", readonly, narrowed.readonly, "pgHba.readonly"),
    ...over("monitoring", monitorRole, narrowed.monitoring, "pgHba.monitoring"),
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
