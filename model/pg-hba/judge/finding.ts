import type { ServerKind } from "../../base/names";
import type { ConnectionAttempt, ServerEnvironment } from "../rule/connection-attempt";
import type { AuthMethod, PgHbaRule } from "../rule/rule";

/** Kind of a finding. `invalid` is a rule that PostgreSQL rejects, or accepts with an unintended meaning. */
export type PgHbaFindingKind =
  | "invalid"
  | "shadowed"
  | "pointless"
  | "unusable"
  | "wider"
  | "weak method"
  | "world-wide"
  | "no replication rule"
  | "lock-out";

/** A problem or possible improvement of a list of rules. Rules with an `error` are not applied. */
export interface PgHbaFinding {
  readonly kind: PgHbaFindingKind;
  readonly severity: "error" | "warning";
  /** The rule it is about; absent when no rule matches a connection. */
  readonly rule?: PgHbaRule;
  /** Index of that rule, from 0. */
  readonly index?: number;
  readonly reason: string;
  readonly fix: string;
}

/** A connection that must work. */
export interface RequiredAccess extends ConnectionAttempt {
  /** Display name, e.g. `application`, `monitoring`. */
  readonly name: string;
  /** Authentication methods it supports. @default all but `reject` */
  readonly methods?: readonly AuthMethod[];
  /** Key of the stack file by which it is not required, or from another network, e.g. `pgHba.readonly`. */
  readonly key?: string;
}

/** What rules with `cert`, `clientcert` and `map` need. */
export interface ProvidedForRules {
  /** Whether PostgreSQL has a CA that it verifies client certificates with (`tls.clientCa`). */
  readonly clientCa: boolean;
  /** Names of the user name maps (`pgHba.maps`). */
  readonly maps: readonly string[];
}

/** The server and connections that rules are checked for. */
export interface FindingContext {
  readonly kind: ServerKind;
  /** @default none */
  readonly required?: readonly RequiredAccess[];
  /** Streaming replicas of this server. @default none */
  readonly replicas?: readonly Omit<RequiredAccess, "database" | "replication">[];
  readonly server?: ServerEnvironment;
  /** PostgreSQL's major version. @default 17 */
  readonly version?: number;
  /** What the server has for rules that need more than a password. @default not known, so that it is not checked */
  readonly provided?: ProvidedForRules | undefined;
}
