import { coversNetwork } from "../rule/address";
import type { Finding } from "./finding";
import { readPlace, type Place } from "../rule/source-address";
import { describeRule } from "../text/render";
import type { AuthMethod, PgHbaRule } from "../rule/rule";

/** How many earlier rules for the same databases and users count as neighbours. */
const nearest = 50;

/** How much a method asks; those that are not here ask the most. */
const asks: Partial<Record<AuthMethod, number>> = { trust: 0, ident: 1, password: 2, md5: 3 };

interface Placed {
  readonly rule: PgHbaRule;
  readonly place: Place;
}

/**
 * Rules that let in more easily what a rule before them is stricter about: the same databases and users, from the same place
 * or a wider one, but without TLS or by a weaker method. By the index of the wider rule.
 */
export function widerThanNeighbour(
  rules: readonly PgHbaRule[],
): ReadonlyMap<number, Pick<Finding, "kind" | "severity" | "reason" | "fix">> {
  const found = new Map<number, Pick<Finding, "kind" | "severity" | "reason" | "fix">>();
  const groups = new Map<string, Placed[]>();
  for (const [index, rule] of rules.entries()) {
    if (rule.type === "local" || rule.method === "reject") continue;
    const place = readPlace(rule);
    if ("severity" in place) continue;
    const key = `${[...rule.databases].sort().join()} ${[...rule.users].sort().join()}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    const reason = reasonOf(group, { rule, place });
    if (reason !== undefined) {
      const fix = "ask for the same in both, or leave the wider one out";
      found.set(index, { kind: "wider", severity: "warning", reason, fix });
    }
    group.push({ rule, place });
  }
  return found;
}

/** About the nearest neighbour that the rule is wider than. */
function reasonOf(group: readonly Placed[], placed: Placed): string | undefined {
  for (const neighbour of group.slice(-nearest).reverse()) {
    const reason = widerThan(neighbour, placed);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function widerThan(neighbour: Placed, { rule, place }: Placed): string | undefined {
  if (!coversPlace(place, neighbour.place)) return undefined;
  // Shown only where something is to be said: most neighbours are as strict.
  const shown = (): string => `"${describeRule(neighbour.rule)}"`;
  if (neighbour.rule.type === "hostssl" && takesPlain(rule)) {
    return `takes without TLS what ${shown()} before it wants with TLS`;
  }
  const [weaker, stronger] = [asks[rule.method] ?? 4, asks[neighbour.rule.method] ?? 4];
  if (weaker >= stronger || samePlace(place, neighbour.place)) return undefined;
  return `asks a wider network for less (${rule.method}) than ${shown()} before it`;
}

function takesPlain({ type }: PgHbaRule): boolean {
  return type === "host" || type === "hostnossl" || type === "hostnogssenc";
}

function samePlace(one: Place, other: Place): boolean {
  return coversPlace(one, other) && coversPlace(other, one);
}

/** Whether everything from one place is from another as well, as far as the rules alone can tell. */
function coversPlace(outer: Place, inner: Place): boolean {
  if (outer.kind === "all") return true;
  if (outer.kind === "network") {
    return inner.kind === "network" && coversNetwork(outer.network, inner.network);
  }
  if (outer.kind === "host") return inner.kind === "host" && inner.name === outer.name;
  return inner.kind === outer.kind || (outer.kind === "samenet" && inner.kind === "samehost");
}
