import type { ServerKind } from "../../base/names";
import type { Finding } from "./finding";
import { readPlace } from "../rule/source-address";
import type { AuthMethod, PgHbaRule } from "../rule/rule";

type Risk = Pick<Finding, "kind" | "severity" | "reason" | "fix">;

/** The gravest danger of one rule on a kind of server. */
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
      ? risk("warning", "trust asks nobody on the socket who he is", "use peer or scram-sha-256")
      : risk(onProduction, `${kind} never trusts a network`, "use scram-sha-256 with hostssl");
  }
  if (method === "password" && type !== "local") {
    return type === "hostssl"
      ? risk("warning", "password shows the server the password itself", "use scram-sha-256")
      : risk(
          onProduction,
          "password sends the password readable over the network",
          "use scram-sha-256 with hostssl",
        );
  }
  if (method === "md5") {
    return risk("warning", "md5 is broken and on its way out of PostgreSQL", "use scram-sha-256");
  }
  return undefined;
}

/** Methods that a stranger does not get through by trying passwords on a readable connection. */
const strong: readonly AuthMethod[] = ["scram-sha-256", "cert", "gss", "ldap", "oauth"];

function worldRisk(rule: PgHbaRule, kind: ServerKind): Risk | undefined {
  if (rule.type === "local" || rule.method === "reject" || !isWorldWide(rule)) return undefined;
  const guarded = rule.type === "hostssl" && strong.includes(rule.method);
  return {
    kind: "world-wide",
    severity: kind === "production" && !guarded ? "error" : "warning",
    reason: `${rule.address ?? ""} lets every address of the world try`,
    fix: "name the network that connections come from, such as 10.20.0.0/24 or samenet",
  };
}

/** Whether a rule is for every address there is, of IPv4 or IPv6. */
export function isWorldWide(rule: Pick<PgHbaRule, "address" | "mask">): boolean {
  const place = readPlace(rule);
  if ("severity" in place) return false;
  if (place.kind === "network") return place.network.mask.every((byte) => byte === 0);
  return place.kind === "all";
}
