import { overlapOf, sharesTransport } from "../rule/overlap";
import type { PgHbaRule } from "../rule/rule";
import { describeRule } from "../text/render";
import type { PgHbaFinding } from "./finding";

/** Rejections of a file that are examined. */
const maxRejections = 50;

/**
 * Finds the rejections that decide nothing: an earlier rule lets in connections that they name, and no later rule would let in
 * the others. By the index of the rejection. A last rule that rejects everybody is none of them.
 */
export function pointlessRejections(
  rules: readonly PgHbaRule[],
): ReadonlyMap<number, Pick<PgHbaFinding, "kind" | "severity" | "reason" | "fix">> {
  const found = new Map<number, Pick<PgHbaFinding, "kind" | "severity" | "reason" | "fix">>();
  const rejections = rules
    .map((rule, index) => ({ rule, index }))
    .filter(({ rule }) => rule.method === "reject" && !isEverybody(rule))
    .slice(0, maxRejections);
  for (const { rule, index } of rejections) {
    const allows = (other: PgHbaRule): boolean => other.method !== "reject";
    const decides = rules
      .slice(index + 1)
      .some(
        (later) =>
          allows(later) &&
          sharesTransport(rule.type, later.type) &&
          overlapOf(rule, later) !== "no",
      );
    const earlier = rules
      .slice(0, index)
      .find((other) => allows(other) && overlapOf(rule, other) === "yes");
    if (decides || !earlier) continue;
    const shown = `"${describeRule(earlier)}"`;
    const isTooLate = sharesTransport(rule.type, earlier.type);
    found.set(index, {
      kind: "pointless",
      severity: "warning",
      reason: isTooLate
        ? `decides nothing: ${shown} before it lets in connections that it names, and the others are rejected without it, too`
        : `decides nothing: without it, connections of its type are rejected, too, and ${shown} before it lets in the others`,
      fix: isTooLate
        ? `move it before ${shown}, or leave it out`
        : `leave it out; to reject those as well, write host and move it before ${shown}`,
    });
  }
  return found;
}

function isEverybody({ databases, users }: PgHbaRule): boolean {
  return databases.includes("all") && users.includes("all");
}
