import type { Coverage } from "../rule/coverage";
import { overlapOf, sharesTransport } from "../rule/overlap";
import type { PgHbaRule } from "../rule/rule";
import { describeRule } from "../text/render";
import type { PgHbaFinding } from "./finding";

/** With and without TLS: what a rejection is compared with separately. */
const types = ["hostssl", "hostnossl"] as const;

/**
 * Finds a rejection that decides nothing: earlier rules let in all connections with, or all without TLS, that it names, and no
 * later rule would let in the others.
 *
 * @param coverage The rules before it.
 */
export function pointlessRejection(
  rules: readonly PgHbaRule[],
  index: number,
  coverage: Coverage,
): Pick<PgHbaFinding, "kind" | "severity" | "reason" | "fix"> | undefined {
  const rule = rules[index];
  if (rule?.method !== "reject" || rule.type === "local") return undefined;
  const earlier = types
    .flatMap((type) => coverage.of({ ...rule, type }) ?? [])
    .map((at) => rules[at])
    .find((other) => other !== undefined && other.method !== "reject");
  if (!earlier || decides(rule, rules.slice(index + 1))) return undefined;
  const shown = `"${describeRule(earlier)}"`;
  const isTooLate = sharesTransport(rule.type, earlier.type);
  return {
    kind: "pointless",
    severity: "warning",
    reason: isTooLate
      ? `decides nothing: ${shown} before it lets in the connections that it names, and the others are rejected without it, too`
      : `decides nothing: without it, connections of its type are rejected, too, and ${shown} before it lets in the others`,
    fix: isTooLate
      ? `move it before ${shown} (firstRules), or leave it out`
      : `leave it out; to reject those as well, write host and move it before ${shown} (firstRules)`,
  };
}

/** Whether a later rule may let in a connection that a rejection matches. */
function decides(rejection: PgHbaRule, later: readonly PgHbaRule[]): boolean {
  return later.some(
    (rule) =>
      rule.method !== "reject" &&
      sharesTransport(rejection.type, rule.type) &&
      overlapOf(rejection, rule) !== "no",
  );
}
