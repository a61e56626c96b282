import type { Circumstances } from "./finding";
import type { RequiredAccess } from "./finding";
import type { Finding } from "./finding";
import { whoCan } from "../rule/evaluate";
import type { PgHbaRule } from "../rule/rule";
import { nameToken } from "../rule/token";

/** The replicas that the rules keep out. */
export function missingReplicas(
  rules: readonly PgHbaRule[],
  { replicas = [], server }: Circumstances,
): readonly Finding[] {
  return replicas.flatMap((replica): readonly Finding[] => {
    const access = { ...replica, database: "replication", replication: true };
    const refused = refusalOf(rules, access, server);
    if (!refused) return [];
    const { reason, ...at } = refused;
    return [
      {
        kind: "no replication rule",
        severity: "error",
        ...at,
        reason: `replica ${replica.name} (${wayOf(access)}) ${reason}`,
        fix: `add "${ruleFor(access)}"${at.rule ? " before it" : ""}`,
      },
    ];
  });
}

/** The required connections that the rules keep out. */
export function lockedOut(
  rules: readonly PgHbaRule[],
  { required = [], server }: Circumstances,
): readonly Finding[] {
  return required.flatMap((access): readonly Finding[] => {
    const refused = refusalOf(rules, access, server);
    if (!refused) return [];
    const { reason, ...at } = refused;
    return [
      {
        kind: "lock-out",
        severity: "error",
        ...at,
        reason: `${access.name} (${wayOf(access)}) ${reason}`,
        fix: `add "${ruleFor(access)}"${at.rule ? " before it" : ""}`,
      },
    ];
  });
}

/** Names of the required connections that rules keep out. */
export function namesLockedOut(
  rules: readonly PgHbaRule[],
  required: readonly RequiredAccess[],
  server: Circumstances["server"],
): readonly string[] {
  return required
    .filter((access) => refusalOf(rules, access, server) !== undefined)
    .map(({ name }) => name);
}

type Refusal = Pick<Finding, "rule" | "index" | "reason">;

function refusalOf(
  rules: readonly PgHbaRule[],
  access: RequiredAccess,
  server: Circumstances["server"],
): Refusal | undefined {
  const decision = whoCan(rules, access, server);
  if (decision.decision === "implicit reject")
    return { reason: "is locked out: no rule is for it" };
  const { rule, index, method } = decision;
  if (method === "reject") return { rule, index, reason: "is locked out by this rule" };
  const { methods = [method] } = access;
  if (methods.includes(method)) return undefined;
  return { rule, index, reason: `is asked for ${method}, but has ${methods.join(" or ")}` };
}

/** `timesheets to timesheets from 10.20.0.7 with TLS`. */
function wayOf({ user, database, replication, address, tls = false }: RequiredAccess): string {
  const to = replication === true ? "for replication" : `to ${database}`;
  const from = address === undefined ? "over the socket" : `from ${address}`;
  return `${user} ${to} ${from}${tls ? " with TLS" : ""}`;
}

/** The least rule that lets a connection in. */
function ruleFor(access: RequiredAccess): string {
  const { user, database, replication, address, tls = false, methods } = access;
  const type = address === undefined ? "local" : tls ? "hostssl" : "host";
  const to = replication === true ? "replication" : nameToken(database);
  const method = methods?.[0] ?? (address === undefined ? "peer" : "scram-sha-256");
  return [type, to, nameToken(user), ...placeOf(address), method].join(" ");
}

function placeOf(address: string | undefined): readonly string[] {
  if (address === undefined) return [];
  if (address.includes(":")) return [`${address}/128`];
  return [/^[\d.]+$/.test(address) ? `${address}/32` : address];
}
