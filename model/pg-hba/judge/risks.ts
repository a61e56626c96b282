import type { ServerKind } from "../../base/names";
import type { PgHbaFinding } from "./finding";
import { readSourceAddress } from "../rule/source-address";
import type { AuthMethod, PgHbaRule } from "../rule/rule";

type Risk = Pick<PgHbaFinding, "kind" | "severity" | "reason" | "fix">;

/** The most severe risk of a rule on a kind of server. */
export function riskOf(rule: PgHbaRule, kind: ServerKind): Risk | undefined {
  return methodRisk(rule, kind) ?? worldRisk(rule, kind);
}

function methodRisk({ type, method }: PgHbaRule, kind: ServerKind): Risk | undefined {
  if (kind === "development") return undefined;
  const risk = (severity: Risk["severity"], reason: string, fix: string): Risk => ({
    kind: "weak method",
    severity,
    reason,
    fix,
  });
  const onProduction = kind === "production" ? "error" : "warning";
  if (method === "trust") {
    return type === "local"
      ? risk("warning", "trust does not authenticate local users", "use peer or scram-sha-256")
      : risk(
          onProduction,
          `a ${kind} server must not trust a network`,
          "use scram-sha-256 with hostssl",
        );
  }
  if (method === "password" && type !== "local") {
    return type === "hostssl"
      ? risk("warning", "password sends the password itself to the server", "use scram-sha-256")
      : risk(
          onProduction,
          "password sends the password in clear text over the network",
          "use scram-sha-256 with hostssl",
        );
  }
  if (method === "md5") {
    return risk("warning", "md5 is insecure and deprecated in PostgreSQL", "use scram-sha-256");
  }
  return undefined;
}

/** Methods that are acceptable for a rule open to every address. */
const strong: readonly AuthMethod[] = ["scram-sha-256", "cert", "gss", "ldap", "oauth"];

function worldRisk(rule: PgHbaRule, kind: ServerKind): Risk | undefined {
  if (rule.type === "local" || rule.method === "reject" || !isWorldWide(rule)) return undefined;
  const guarded = rule.type === "hostssl" && strong.includes(rule.method);
  return {
    kind: "world-wide",
    severity: kind === "production" && !guarded ? "error" : "warning",
    reason: `${rule.address ?? ""} allows attempts from every address`,
    fix: "write the network that connections come from, such as 10.20.0.0/24 or samenet",
  };
}

/** Whether a rule matches every IPv4 or every IPv6 address. */
export function isWorldWide(rule: Pick<PgHbaRule, "address" | "mask">): boolean {
  const address = readSourceAddress(rule);
  if ("severity" in address) return false;
  if (address.kind === "network") return address.network.mask.every((byte) => byte === 0);
  return address.kind === "all";
}
