import { coversNetwork, prefixLength } from "./address";
import { readToken } from "./fields";
import { compileRegex } from "./regex";
import type { ConnectionType, PgHbaRule } from "./rule";
import { readSourceAddress, type SourceAddress } from "./source-address";
import { formatToken, groupOf, isKeyword, regexOf, type Token } from "./token";

/** Whether some connection matches both of two rules: `maybe` if that depends on roles, networks or names that are not known. */
export type Overlap = "yes" | "maybe" | "no";

/** Whether two rules name a database, a user and an address in common, regardless of TLS. */
export function overlapOf(one: PgHbaRule, other: PgHbaRule): Overlap {
  if ((one.type === "local") !== (other.type === "local")) return "no";
  return allOf(
    () => ofWords(one.databases, other.databases, "databases"),
    () => ofWords(one.users, other.users, "users"),
    () => (one.type === "local" ? "yes" : ofAddresses(one, other)),
  );
}

const encryption: Readonly<Record<Exclude<ConnectionType, "local">, readonly string[]>> = {
  host: ["plain", "tls", "gss"],
  hostssl: ["tls"],
  hostnossl: ["plain", "gss"],
  hostgssenc: ["gss"],
  hostnogssenc: ["plain", "tls"],
};

/** Whether two types of rules match connections in common. */
export function sharesTransport(one: ConnectionType, other: ConnectionType): boolean {
  if (one === "local" || other === "local") return one === other;
  return encryption[one].some((kind) => encryption[other].includes(kind));
}

function allOf(...parts: readonly (() => Overlap)[]): Overlap {
  let result: Overlap = "yes";
  for (const part of parts) {
    const found = part();
    if (found === "no") return "no";
    if (found === "maybe") result = "maybe";
  }
  return result;
}

function anyOf(found: Iterable<Overlap>): Overlap {
  let result: Overlap = "no";
  for (const one of found) {
    if (one === "yes") return "yes";
    if (one === "maybe") result = "maybe";
  }
  return result;
}

type Names = "databases" | "users";

function ofWords(one: readonly string[], other: readonly string[], names: Names): Overlap {
  const others = other.map(readToken);
  return anyOf(
    one
      .map(readToken)
      .flatMap((a) => others.map((b) => (a && b ? ofTokens(a, b, names) : ("maybe" as const)))),
  );
}

function ofTokens(a: Token, b: Token, names: Names): Overlap {
  const replicates = [a, b].map(
    (token) => names === "databases" && isKeyword(token, "replication"),
  );
  if (replicates[0] !== replicates[1]) return "no";
  if (isKeyword(a, "all") || isKeyword(b, "all") || formatToken(a) === formatToken(b)) return "yes";
  const [plainA, plainB] = [isPlain(a, names), isPlain(b, names)];
  if (plainA && plainB) return "no";
  const [regex, name] = plainB ? [regexOf(a), b] : [regexOf(b), a];
  if (regex === undefined || !(plainA || plainB)) return "maybe";
  return compileRegex(regex)?.(name.text) === true ? "yes" : "no";
}

function isPlain(token: Token, names: Names): boolean {
  if (regexOf(token) !== undefined) return false;
  if (names === "users") return groupOf(token) === undefined;
  return !["sameuser", "samerole", "samegroup"].some((keyword) => isKeyword(token, keyword));
}

function ofAddresses(one: PgHbaRule, other: PgHbaRule): Overlap {
  const [a, b] = [readSourceAddress(one), readSourceAddress(other)];
  if ("severity" in a || "severity" in b) return "no";
  if (a.kind === "all" || b.kind === "all") return "yes";
  if (a.kind === "network" && b.kind === "network") return ofNetworks(a.network, b.network);
  const isSame = a.kind === b.kind && (a.kind !== "host" || a.name === (b as typeof a).name);
  const isOwn = (address: SourceAddress): boolean => /^same/.test(address.kind);
  return isSame || (isOwn(a) && isOwn(b)) ? "yes" : "maybe";
}

type Network = Extract<SourceAddress, { kind: "network" }>["network"];

function ofNetworks(a: Network, b: Network): Overlap {
  if (coversNetwork(a, b) || coversNetwork(b, a)) return "yes";
  const hasGaps = prefixLength(a.mask) === undefined || prefixLength(b.mask) === undefined;
  return hasGaps && a.base.length === b.base.length ? "maybe" : "no";
}
