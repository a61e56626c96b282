import type { ServerKind } from "../../base/names";
import { checkRule } from "../rule/check";
import { Coverage } from "../rule/cover";
import { lockedOut, missingReplicas } from "./lock-out";
import { describeRule } from "../text/render";
import { riskOf } from "./risks";
import type { PgHbaRule } from "../rule/rule";
import { widerThanNeighbour } from "./wider";
import { type Circumstances, type Finding } from "./finding";

/** Everything that is to be said about a list of rules, in their order; what no rule is there for comes last. */
export function findingsOf(rules: readonly PgHbaRule[], about: Circumstances): readonly Finding[] {
  const coverage = new Coverage();
  const neighbours = widerThanNeighbour(rules);
  const ofRules = rules.flatMap((rule, index): readonly Finding[] => {
    const at = { rule, index };
    const invalid = checkRule(rule, about.version).map(({ severity, text }): Finding => {
      const [reason = "", fix = ""] = text.split(/; (?=[^;]*$)/);
      return { kind: "invalid", severity, ...at, reason, fix };
    });
    if (invalid.some(({ severity }) => severity === "error")) return invalid;
    const by = coverage.of(rule);
    // What is behind a rule that is never used is behind those before it as well.
    if (!by) coverage.add(rule, index);
    const shadowed = shadowedFinding(rules, index, by, about.kind);
    const risk = riskOf(rule, about.kind);
    const wider = neighbours.get(index);
    return [
      ...invalid,
      ...(shadowed ? [{ ...at, ...shadowed }] : []),
      ...(risk ? [{ ...at, ...risk }] : []),
      ...(wider ? [{ ...at, ...wider }] : []),
    ];
  });
  return [...ofRules, ...missingReplicas(rules, about), ...lockedOut(rules, about)];
}

/** A finding in one line: `host all all 0.0.0.0/0 trust: production never trusts a network; use scram-sha-256 with hostssl`. */
export function formatFinding({ rule, reason, fix }: Finding): string {
  const said = fix === "" ? reason : `${reason}; ${fix}`;
  return rule ? `${describeRule(rule)}: ${said}` : said;
}

type Found = Omit<Finding, "rule" | "index">;

function shadowedFinding(
  rules: readonly PgHbaRule[],
  index: number,
  by: readonly number[] | undefined,
  kind: ServerKind,
): Found | undefined {
  if (!by) return undefined;
  const isRejection = rules[index]?.method === "reject";
  const letsIn = by.some((earlier) => rules[earlier]?.method !== "reject");
  const severity = isRejection && letsIn && kind === "production" ? "error" : "warning";
  const shown = by.slice(0, 3).flatMap((earlier) => {
    const rule = rules[earlier];
    return rule ? `"${describeRule(rule)}"` : [];
  });
  const more = by.length > shown.length ? ` and ${by.length - shown.length} more` : "";
  const takes = by.length === 1 ? "takes all its connections" : "take all its connections together";
  return {
    kind: "shadowed",
    severity,
    reason: `never used, because ${shown.join(", ")}${more} before it ${takes}`,
    fix: "move it up or leave it out",
  };
}
