import type { ServerKind } from "../../base/names";
import type { Connection, ServerFacts } from "../rule/connection";
import type { AuthMethod, PgHbaRule } from "../rule/rule";

/** What a finding is about. `invalid` is a rule that PostgreSQL refuses, or takes otherwise than it was meant. */
export type FindingKind =
  | "invalid"
  | "shadowed"
  | "wider"
  | "weak method"
  | "world-wide"
  | "no replication rule"
  | "lock-out";

/** Something that is wrong with a list of rules, or could be better. An `error` keeps the rules from being applied. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: "error" | "warning";
  /** The rule it is about; absent when no rule is there for a connection. */
  readonly rule?: PgHbaRule;
  /** Place of that rule, from 0. */
  readonly index?: number;
  readonly reason: string;
  readonly fix: string;
}

/** A connection that must work. */
export interface RequiredAccess extends Connection {
  /** What people call it: `application`, `monitoring`. */
  readonly name: string;
  /** How it can prove who it is. @default all but `reject` */
  readonly methods?: readonly AuthMethod[];
}

/** What rules are held against. */
export interface Circumstances {
  readonly kind: ServerKind;
  /** @default none */
  readonly required?: readonly RequiredAccess[];
  /** Servers that copy this one by streaming replication. @default none */
  readonly replicas?: readonly Omit<RequiredAccess, "database" | "replication">[];
  readonly server?: ServerFacts;
  /** PostgreSQL's major version. @default 17 */
  readonly version?: number;
}
