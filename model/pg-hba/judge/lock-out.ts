import type { FindingContext, PgHbaFinding, RequiredAccess } from "./finding";
import { whoCan } from "../rule/evaluate";
import { sessionUsers } from "../rule/presets";
import type { PgHbaRule } from "../rule/rule";
import { nameToken } from "../rule/token";
import { sessionRolePrefix } from "../../roles/names";

/** Findings about replicas that the rules lock out. */
export function lockedOutReplicas(
  rules: readonly PgHbaRule[],
  { replicas = [], server }: FindingContext,
): readonly PgHbaFinding[] {
  return replicas.flatMap((replica): readonly PgHbaFinding[] => {
    const access = { ...replica, database: "replication", replication: true };
    const lockOut = findLockOut(rules, access, server);
    if (!lockOut) return [];
    const { reason, ...at } = lockOut;
    return [
      {
        kind: "no replication rule",
        severity: "error",
        ...at,
        reason: `replica ${replica.name} (${describeAccess(access)}) ${reason}`,
        fix: `add "${ruleFor(access)}"${at.rule ? " before it" : ""}`,
      },
    ];
  });
}

/** Findings about required connections that the rules lock out. */
export function lockedOutConnections(
  rules: readonly PgHbaRule[],
  { required = [], server }: FindingContext,
): readonly PgHbaFinding[] {
  return required.flatMap((access): readonly PgHbaFinding[] => {
    const lockOut = findLockOut(rules, access, server);
    if (!lockOut) return [];
    const { reason, ...at } = lockOut;
    return [
      {
        kind: "lock-out",
        severity: "error",
        ...at,
        reason: `${access.name} (${describeAccess(access)}) ${reason}`,
        fix: `add "${ruleFor(access)}"${at.rule ? " before it" : ""}${otherwise(access)}`,
      },
    ];
  });
}

/** Names of the required connections that the rules lock out. */
export function lockedOutNames(
  rules: readonly PgHbaRule[],
  required: readonly RequiredAccess[],
  server: FindingContext["server"],
): readonly string[] {
  return required
    .filter((access) => findLockOut(rules, access, server) !== undefined)
    .map(({ name }) => name);
}

type LockOut = Pick<PgHbaFinding, "rule" | "index" | "reason">;

function findLockOut(
  rules: readonly PgHbaRule[],
  access: RequiredAccess,
  server: FindingContext["server"],
): LockOut | undefined {
  const decision = whoCan(rules, access, server);
  if (decision.decision === "implicit reject") return { reason: "is locked out: no rule matches" };
  const { rule, index, method } = decision;
  if (method === "reject") return { rule, index, reason: "is locked out by this rule" };
  const { methods = [method] } = access;
  if (methods.includes(method)) return undefined;
  return { rule, index, reason: `has to use ${method}, but supports ${methods.join(" or ")}` };
}

/** `timesheets to timesheets from 10.20.0.7 with TLS`. */
function describeAccess({
  user,
  database,
  replication,
  address,
  tls = false,
}: RequiredAccess): string {
  const to = replication === true ? "for replication" : `to ${database}`;
  const from = address === undefined ? "over the socket" : `from ${address}`;
  return `${user} ${to} ${from}${tls ? " with TLS" : ""}`;
}

/** How the stack file says that a connection is not required. */
function otherwise({ key }: RequiredAccess): string {
  return key === undefined ? "" : `, or set ${key} to its network or to none`;
}

/** The narrowest rule that allows a connection. */
function ruleFor(access: RequiredAccess): string {
  const { user, database, replication, address, tls = false, methods } = access;
  const type = address === undefined ? "local" : tls ? "hostssl" : "host";
  const isSession = user.startsWith(sessionRolePrefix);
  const to = replication === true ? "replication" : isSession ? "all" : nameToken(database);
  const method = methods?.[0] ?? (address === undefined ? "peer" : "scram-sha-256");
  const who = isSession ? sessionUsers : nameToken(user);
  return [type, to, who, ...addressWords(address), method].join(" ");
}

function addressWords(address: string | undefined): readonly string[] {
  if (address === undefined) return [];
  if (address.includes(":")) return [`${address}/128`];
  return [/^[\d.]+$/.test(address) ? `${address}/32` : address];
}
