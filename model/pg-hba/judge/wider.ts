import { coversNetwork } from "../rule/address";
import type { PgHbaFinding } from "./finding";
import { readSourceAddress, type SourceAddress } from "../rule/source-address";
import { describeRule } from "../text/render";
import type { AuthMethod, PgHbaRule } from "../rule/rule";

/** How many earlier rules for the same databases and users are compared. */
const maxNeighbours = 50;

/** Strength of a method; methods that are not listed are the strongest. */
const strength: Partial<Record<AuthMethod, number>> = { trust: 0, ident: 1, password: 2, md5: 3 };

interface AddressedRule {
  readonly rule: PgHbaRule;
  readonly address: SourceAddress;
}

/**
 * Finds rules that are less strict than an earlier one: for the same databases and users and the same or a wider address,
 * but without TLS or with a weaker method. By the index of the less strict rule.
 */
export function widerThanNeighbour(
  rules: readonly PgHbaRule[],
): ReadonlyMap<number, Pick<PgHbaFinding, "kind" | "severity" | "reason" | "fix">> {
  const found = new Map<number, Pick<PgHbaFinding, "kind" | "severity" | "reason" | "fix">>();
  const groups = new Map<string, AddressedRule[]>();
  for (const [index, rule] of rules.entries()) {
    if (rule.type === "local" || rule.method === "reject") continue;
    const address = readSourceAddress(rule);
    if ("severity" in address) continue;
    const key = `${[...rule.databases].sort().join()} ${[...rule.users].sort().join()}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    const reason = reasonOf(group, { rule, address });
    if (reason !== undefined) {
      const fix = "make both equally strict, or remove the wider one";
      found.set(index, { kind: "wider", severity: "warning", reason, fix });
    }
    group.push({ rule, address });
  }
  return found;
}

/** The reason for the nearest earlier rule that is stricter. */
function reasonOf(group: readonly AddressedRule[], candidate: AddressedRule): string | undefined {
  for (const neighbour of group.slice(-maxNeighbours).reverse()) {
    const reason = widerThan(neighbour, candidate);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function widerThan(neighbour: AddressedRule, { rule, address }: AddressedRule): string | undefined {
  if (!coversAddress(address, neighbour.address)) return undefined;
  // Lazy, because most neighbours are equally strict.
  const shown = (): string => `"${describeRule(neighbour.rule)}"`;
  if (neighbour.rule.type === "hostssl" && allowsPlain(rule)) {
    return `allows without TLS what ${shown()} before it allows only with TLS`;
  }
  const [weaker, stronger] = [strength[rule.method] ?? 4, strength[neighbour.rule.method] ?? 4];
  if (weaker >= stronger || isSameAddress(address, neighbour.address)) return undefined;
  return `allows a weaker method (${rule.method}) for a wider network than ${shown()} before it`;
}

function allowsPlain({ type }: PgHbaRule): boolean {
  return type === "host" || type === "hostnossl" || type === "hostnogssenc";
}

function isSameAddress(one: SourceAddress, other: SourceAddress): boolean {
  return coversAddress(one, other) && coversAddress(other, one);
}

/** Whether one source address includes another, without resolving host names or own networks. */
function coversAddress(outer: SourceAddress, inner: SourceAddress): boolean {
  if (outer.kind === "all") return true;
  if (outer.kind === "network") {
    return inner.kind === "network" && coversNetwork(outer.network, inner.network);
  }
  if (outer.kind === "host") return inner.kind === "host" && inner.name === outer.name;
  return inner.kind === outer.kind || (outer.kind === "samenet" && inner.kind === "samehost");
}
