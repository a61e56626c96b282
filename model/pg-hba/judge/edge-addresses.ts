import {
  endsOf,
  formatIp,
  inNetwork,
  parseCidr,
  parseIp,
  type Ip,
  type Network,
} from "../rule/address";
import type { ServerEnvironment } from "../rule/connection-attempt";
import { readSourceAddress } from "../rule/source-address";
import type { PgHbaRule } from "../rule/rule";

/**
 * The addresses at the edges of all networks in rules: what holds for the edges inside a network holds for all its
 * addresses, if all masks are contiguous. This allows evaluating a network that rules split.
 */
export function edgeAddresses(
  rules: readonly PgHbaRule[],
  networks: readonly Network[],
  { interfaces = [], hostNames = {} }: ServerEnvironment,
): readonly Ip[] {
  const ofRules = rules.flatMap((rule) => {
    const address = rule.type === "local" ? undefined : readSourceAddress(rule);
    return address && "network" in address ? [address.network] : [];
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

/** The edges inside the networks, as text. */
export function edgesInside(networks: readonly Network[], edges: readonly Ip[]): readonly string[] {
  return edges.filter((ip) => networks.some((network) => inNetwork(ip, network))).map(formatIp);
}

/** The edges outside the networks, as text. */
export function edgesOutside(
  networks: readonly Network[],
  edges: readonly Ip[],
): readonly string[] {
  return edges.filter((ip) => !networks.some((network) => inNetwork(ip, network))).map(formatIp);
}

/** The previous or next address; `undefined` at the end of the address space. */
function neighbour(ip: Ip, step: bigint): Ip | undefined {
  const value = BigInt(`0x${Buffer.from(ip).toString("hex")}`) + step;
  if (value < 0n || value >> BigInt(ip.length * 8) > 0n) return undefined;
  return [...Buffer.from(value.toString(16).padStart(ip.length * 2, "0"), "hex")];
}
