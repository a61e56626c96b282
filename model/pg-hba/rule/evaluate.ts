import { callerOf, type Connection, type ServerFacts } from "./connection";
import { matches } from "./match";
import type { AuthMethod, PgHbaRule } from "./rule";

/** The rule that decides over a connection, or that there is none, which PostgreSQL takes for a rejection. */
export type Decision<Rule extends PgHbaRule = PgHbaRule> =
  | {
      readonly decision: "rule";
      readonly rule: Rule;
      /** Its place among the rules, from 0. */
      readonly index: number;
      /** What PostgreSQL does: `ident` on a socket is `peer`. */
      readonly method: AuthMethod;
    }
  | { readonly decision: "implicit reject"; readonly method: "reject" };

/**
 * Which rule decides over a connection: the first one that is for it, whatever becomes of the log-in then. PostgreSQL manual, 20.1.
 *
 * @example
 * whoCan(rules, { user: "timesheets", database: "timesheets", address: "10.20.0.7", tls: true }).method; // "scram-sha-256"
 */
export function whoCan<Rule extends PgHbaRule>(
  rules: readonly Rule[],
  connection: Connection,
  server: ServerFacts = {},
): Decision<Rule> {
  const caller = callerOf(connection, server);
  const index = rules.findIndex((candidate) => matches(candidate, caller));
  const rule = rules[index];
  if (!rule) return { decision: "implicit reject", method: "reject" };
  const { type, method } = rule;
  const isPeer = type === "local" && method === "ident";
  return { decision: "rule", rule, index, method: isPeer ? "peer" : method };
}
