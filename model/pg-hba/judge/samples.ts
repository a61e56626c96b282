import {
  endsOf,
  formatIp,
  inNetwork,
  parseCidr,
  parseIp,
  type Ip,
  type Network,
} from "../rule/address";
import type { ServerFacts } from "../rule/connection";
import { readPlace } from "../rule/source-address";
import type { PgHbaRule } from "../rule/rule";

/**
 * Addresses at all edges that rules draw: what holds for those of a network holds for the whole of it, as long as no mask
 * has gaps. So a network can be judged that some rules cut in pieces.
 */
export function edgesOf(
  rules: readonly PgHbaRule[],
  networks: readonly Network[],
  { interfaces = [], hostNames = {} }: ServerFacts,
): readonly Ip[] {
  const ofRules = rules.flatMap((rule) => {
    const place = rule.type === "local" ? undefined : readPlace(rule);
    return place && "network" in place ? [place.network] : [];
  });
  const own = interfaces.flatMap((text) => parseCidr(text) ?? []);
  const whole = [parseCidr("0.0.0.0/0"), parseCidr("::/0")].flatMap((network) => network ?? []);
  const named = Object.keys(hostNames).flatMap((text) => {
    const ip = parseIp(text);
    return ip ? [ip] : [];
  });
  const singles = [...own.map(({ base }) => base), ...named].map((base) => ({
    base,
    mask: base.map(() => 0xff),
  }));
  const edges = [...ofRules, ...networks, ...own, ...whole, ...singles].flatMap((network) => {
    const [low, high] = endsOf(network);
    return [low, high, neighbour(low, -1n), neighbour(high, 1n)].filter((ip) => ip !== undefined);
  });
  return [...new Map(edges.map((ip) => [ip.join("."), ip])).values()];
}

/** The edges in some networks, as text. */
export function edgesIn(networks: readonly Network[], edges: readonly Ip[]): readonly string[] {
  return edges.filter((ip) => networks.some((network) => inNetwork(ip, network))).map(formatIp);
}

/** The edges in none of some networks, as text. */
export function edgesOutside(
  networks: readonly Network[],
  edges: readonly Ip[],
): readonly string[] {
  return edges.filter((ip) => !networks.some((network) => inNetwork(ip, network))).map(formatIp);
}

/** The address before or behind another; `undefined` where there is none. */
function neighbour(ip: Ip, step: bigint): Ip | undefined {
  const value = BigInt(`0x${Buffer.from(ip).toString("hex")}`) + step;
  if (value < 0n || value >> BigInt(ip.length * 8) > 0n) return undefined;
  return [...Buffer.from(value.toString(16).padStart(ip.length * 2, "0"), "hex")];
}
