import type { ServerKind } from "../../base/names";
import { checkRule } from "../rule/check";
import { Coverage } from "../rule/coverage";
import { lockedOutConnections, lockedOutReplicas } from "./lock-out";
import { describeRule } from "../text/render";
import { pointlessRejection } from "./pointless-rejection";
import { riskOf } from "./risks";
import { unresolvedNames, unusableRule } from "./unusable-rule";
import type { PgHbaRule } from "../rule/rule";
import { widerThanNeighbour } from "./wider";
import { type FindingContext, type PgHbaFinding } from "./finding";

/** Checks a list of rules. Findings are in the order of the rules; findings without a rule come last. */
export function findingsOf(
  rules: readonly PgHbaRule[],
  context: FindingContext,
): readonly PgHbaFinding[] {
  const coverage = new Coverage();
  const neighbours = widerThanNeighbour(rules);
  const ofRules = rules.flatMap((rule, index): readonly PgHbaFinding[] => {
    const at = { rule, index };
    const invalid = checkRule(rule, context.version).map(({ severity, text }): PgHbaFinding => {
      const [reason = "", fix = ""] = text.split(/; (?=[^;]*$)/);
      return { kind: "invalid", severity, ...at, reason, fix };
    });
    if (invalid.some(({ severity }) => severity === "error")) return invalid;
    const by = coverage.of(rule);
    const rejection = by ? undefined : pointlessRejection(rules, index, coverage);
    // A rule that is never used covers nothing that earlier rules do not cover.
    if (!by) coverage.add(rule, index);
    const shadowed = shadowedFinding(rules, index, by, context.kind);
    const risk = riskOf(rule, context.kind);
    const wider = neighbours.get(index);
    const unusable = unusableRule(rule, context.provided) ?? unresolvedNames(rule);
    return [
      ...invalid,
      ...(shadowed ? [{ ...at, ...shadowed }] : []),
      ...(risk ? [{ ...at, ...risk }] : []),
      ...(wider ? [{ ...at, ...wider }] : []),
      ...(rejection ? [{ ...at, ...rejection }] : []),
      ...(unusable ? [{ ...at, ...unusable }] : []),
    ];
  });
  return [
    ...ofRules,
    ...lockedOutReplicas(rules, context),
    ...lockedOutConnections(rules, context),
  ];
}

/** Formats a finding in one line: `host all all 0.0.0.0/0 trust: production never trusts a network; use scram-sha-256 with hostssl`. */
export function formatFinding({ rule, reason, fix }: PgHbaFinding): string {
  const text = fix === "" ? reason : `${reason}; ${fix}`;
  return rule ? `${describeRule(rule)}: ${text}` : text;
}

type UnlocatedFinding = Omit<PgHbaFinding, "rule" | "index">;

function shadowedFinding(
  rules: readonly PgHbaRule[],
  index: number,
  by: readonly number[] | undefined,
  kind: ServerKind,
): UnlocatedFinding | undefined {
  if (!by) return undefined;
  const isRejection = rules[index]?.method === "reject";
  const isAllowedBefore = by.some((earlier) => rules[earlier]?.method !== "reject");
  const severity = isRejection && isAllowedBefore && kind === "production" ? "error" : "warning";
  const shown = by.slice(0, 3).flatMap((earlier) => {
    const rule = rules[earlier];
    return rule ? `"${describeRule(rule)}"` : [];
  });
  const more = by.length > shown.length ? ` and ${by.length - shown.length} more` : "";
  const matches =
    by.length === 1 ? "matches all its connections" : "match all its connections together";
  return {
    kind: "shadowed",
    severity,
    reason: `never used, because ${shown.join(", ")}${more} before it ${matches}`,
    fix: "move it up or leave it out",
  };
}
