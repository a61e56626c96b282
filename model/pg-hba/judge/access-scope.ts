import { databaseRoles, monitorRole, superuser } from "../../roles/names";
import type { AccessSource, AccessScope } from "./access-matrix";
import type { RequiredAccess } from "./finding";
import type { PersonAccess } from "../../roles/people-access";
import { formatNetwork, prefixLength } from "../rule/address";
import { readSourceAddress } from "../rule/source-address";
import { ownNetwork } from "./required-access";
import type { PgHbaRule } from "../rule/rule";

/** Arguments of {@link accessScope}. */
export interface AccessScopeArgs {
  readonly database: string;
  /** The network that the application connects from. */
  readonly application: string;
  readonly rules: readonly PgHbaRule[];
  /** The rules that they replace; their networks are shown as well. @default none */
  readonly before?: readonly PgHbaRule[];
  /** Connections that must work. */
  readonly required: readonly RequiredAccess[];
  /** The server's addresses with prefix lengths. */
  readonly interfaces: readonly string[];
  /** Users of the database. @default none */
  readonly people?: readonly PersonAccess[];
}

/** Addresses that are covered by the column "everyone else". */
const everywhere = new Set(["all", "0.0.0.0/0", "::/0", "::0/0"]);

/** Rows and columns of a server's access matrix: its roles, and the networks in its rules. */
export function accessScope({
  database,
  application,
  rules,
  before = [],
  required,
  interfaces,
  people = [],
}: AccessScopeArgs): AccessScope {
  const { application: user, readonly } = databaseRoles(database);
  const named = new Set(
    [...rules, ...before].flatMap(({ address, mask }) => {
      if (address === undefined) return [];
      return mask === undefined ? address : (cidrOf({ address, mask }) ?? []);
    }),
  );
  const others = [...named].filter(
    (address) => address !== application && !everywhere.has(address),
  );
  return {
    subjects: [
      { name: "app", user, database },
      { name: "readonly", user: readonly, database },
      { name: "monitor", user: monitorRole, database },
      ...people.map(({ name, role, roles, rights }) => ({
        ...{ name, user: name, database, roles, title: `${name}, ${role}`, rights },
      })),
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

/** A network with a mask, in the notation with a prefix length. */
function cidrOf(rule: Pick<PgHbaRule, "address" | "mask">): string | undefined {
  const address = readSourceAddress(rule);
  if ("severity" in address || address.kind !== "network") return undefined;
  return prefixLength(address.network.mask) === undefined
    ? undefined
    : formatNetwork(address.network);
}

function origin(name: string, address: string): AccessSource {
  return { name: address === ownNetwork && name === ownNetwork ? "own network" : name, address };
}
