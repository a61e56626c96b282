import { databaseRoles, monitorRole, superuser } from "../../roles/names";
import type { AccessSource, AccessScope } from "./access-matrix";
import type { RequiredAccess } from "./finding";
import { ownNetwork } from "./required-access";
import type { PgHbaRule } from "../rule/rule";

/** Arguments of {@link accessScope}. */
export interface AccessScopeArgs {
  readonly database: string;
  /** The network that the application connects from. */
  readonly application: string;
  readonly rules: readonly PgHbaRule[];
  /** Connections that must work. */
  readonly required: readonly RequiredAccess[];
  /** The server's addresses with prefix lengths. */
  readonly interfaces: readonly string[];
}

/** Addresses that are covered by the column "everyone else". */
const everywhere = new Set(["all", "0.0.0.0/0", "::/0", "::0/0"]);

/** Rows and columns of a server's access matrix: its roles, and the networks in its rules. */
export function accessScope({
  database,
  application,
  rules,
  required,
  interfaces,
}: AccessScopeArgs): AccessScope {
  const { application: user, readonly } = databaseRoles(database);
  const named = new Set(
    rules.flatMap(({ address, mask }) => (mask === undefined ? (address ?? []) : [])),
  );
  const others = [...named].filter(
    (address) => address !== application && !everywhere.has(address),
  );
  return {
    subjects: [
      { name: "app", user, database },
      { name: "readonly", user: readonly, database },
      { name: "monitor", user: monitorRole, database },
      { name: "replication", user: superuser, database: "replication", replication: true },
    ],
    networks: [
      origin("application", application),
      ...others.map((address) => origin(address, address)),
    ],
    required,
    server: { interfaces },
  };
}

function origin(name: string, address: string): AccessSource {
  return { name: address === ownNetwork && name === ownNetwork ? "own network" : name, address };
}
