import { nearest } from "../../base/nearest";
import { namedServers } from "../rule/radius-lists";
import type { PgHbaRule } from "../rule/rule";
import type { PgHbaFinding, ProvidedForRules } from "./finding";

/** Why nobody can connect by a rule: it needs a client CA or a user name map that the server does not have. */
export function unusableRule(
  { method, options = {} }: PgHbaRule,
  provided: ProvidedForRules | undefined,
): Pick<PgHbaFinding, "kind" | "severity" | "reason" | "fix"> | undefined {
  if (!provided) return undefined;
  const unusable = (reason: string, fix: string) =>
    ({ kind: "unusable", severity: "error", reason, fix }) as const;
  if (!provided.clientCa && (method === "cert" || "clientcert" in options)) {
    return unusable(
      "nobody can connect by it, because PostgreSQL has no CA to verify client certificates with",
      "set tls.clientCa to the PEM file of that CA",
    );
  }
  const { map } = options;
  if (map === undefined || provided.maps.includes(map)) return undefined;
  const similar = nearest(map, provided.maps);
  return unusable(
    `nobody can connect by it, because there is no user name map "${map}"`,
    similar === undefined
      ? `add lines like "${map} <system user> <role>" to pgHba.maps`
      : `did you mean ${similar}?`,
  );
}

/** A warning about RADIUS servers that are named: while the names cannot be resolved, PostgreSQL rejects the whole file. */
export function unresolvedNames(
  rule: PgHbaRule,
): Pick<PgHbaFinding, "kind" | "severity" | "reason" | "fix"> | undefined {
  const names = namedServers(rule);
  if (names.length === 0) return undefined;
  const reason = `PostgreSQL resolves ${names.join(", ")} whenever it reads the rules, and does not start while that fails`;
  return { kind: "unusable", severity: "warning", reason, fix: "write the IP address" };
}
