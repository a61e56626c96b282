import {
  resolveConnection,
  type ConnectionAttempt,
  type ServerEnvironment,
} from "./connection-attempt";
import { matches } from "./match";
import type { AuthMethod, PgHbaRule } from "./rule";

/** The first rule that matches a connection; without one PostgreSQL rejects it. */
export type Decision<Rule extends PgHbaRule = PgHbaRule> =
  | {
      readonly decision: "rule";
      readonly rule: Rule;
      /** Index of the rule, from 0. */
      readonly index: number;
      /** The effective method: `ident` on a socket is `peer`. */
      readonly method: AuthMethod;
    }
  | { readonly decision: "implicit reject"; readonly method: "reject" };

/**
 * Finds the first rule that matches a connection; PostgreSQL tries no further rule if authentication fails. PostgreSQL manual, 20.1.
 *
 * @example
 * whoCan(rules, { user: "timesheets", database: "timesheets", address: "10.20.0.7", tls: true }).method; // "scram-sha-256"
 */
export function whoCan<Rule extends PgHbaRule>(
  rules: readonly Rule[],
  connection: ConnectionAttempt,
  server: ServerEnvironment = {},
): Decision<Rule> {
  const resolved = resolveConnection(connection, server);
  const index = rules.findIndex((candidate) => matches(candidate, resolved));
  const rule = rules[index];
  if (!rule) return { decision: "implicit reject", method: "reject" };
  const { type, method } = rule;
  const isPeer = type === "local" && method === "ident";
  return { decision: "rule", rule, index, method: isPeer ? "peer" : method };
}
