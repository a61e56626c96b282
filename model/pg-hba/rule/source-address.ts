import {
  formatNetwork,
  parseCidr,
  parseIp,
  prefixLength,
  trimNetwork,
  type Network,
} from "./address";
import { readToken } from "./fields";
import { error, warning, type RuleProblem } from "./problem";
import type { PgHbaRule } from "./rule";

/** The source addresses that a rule matches. */
export type SourceAddress =
  | { readonly kind: "all" | "samehost" | "samenet" }
  | {
      readonly kind: "network";
      readonly network: Network;
      /** A network interface, `fe80::1%lo`, which PostgreSQL ignores. */
      readonly zone?: string;
    }
  /** A host name, or `.suffix`. */
  | { readonly kind: "host"; readonly name: string };

const cache = new WeakMap<Pick<PgHbaRule, "address" | "mask">, SourceAddress | RuleProblem>();

/** Parses the address and mask of a rule, which is not `local`. */
export function readSourceAddress(
  rule: Pick<PgHbaRule, "address" | "mask">,
): SourceAddress | RuleProblem {
  let address = cache.get(rule);
  if (!address) cache.set(rule, (address = parse(rule)));
  return address;
}

function parse({
  address,
  mask,
}: Pick<PgHbaRule, "address" | "mask">): SourceAddress | RuleProblem {
  if (address === undefined) {
    return error("has no address; write a network like 10.20.0.0/24, samenet or all");
  }
  const token = readToken(address);
  if (!token)
    return error(`address "${address}" is more than one word; write one network per rule`);
  const { text, quoted } = token;
  if (!quoted && (text === "all" || text === "samehost" || text === "samenet")) {
    return mask === undefined ? { kind: text } : redundantMask(text, mask);
  }
  const [, ofZone, zone] = /^([\da-f:.]+)%([^/]*)/i.exec(text) ?? [];
  const isZone = ofZone === undefined || zone === undefined || isAcceptedZone(ofZone, zone);
  if (!isZone && (text.includes("/") || mask !== undefined)) {
    return error(`${text} has a network interface, which PostgreSQL ignores; leave %${zone} out`);
  }
  if (text.includes("/"))
    return mask === undefined ? withZone(parsePrefixed(text), zone) : redundantMask(text, mask);
  const ip = isZone ? parseIp(text) : undefined;
  if (ip) {
    return mask === undefined
      ? error(`${text} has no mask; ${hostPrefix(text, ip)}`)
      : withZone(parseMasked(text, mask), zone);
  }
  if (mask !== undefined)
    return error(`host name ${text} has the mask ${mask}; leave the mask out`);
  return { kind: "host", name: text };
}

/** Warnings about an address that PostgreSQL accepts, but probably not as intended. */
export function sourceAddressWarnings(address: SourceAddress): readonly RuleProblem[] {
  if (address.kind === "host" && /^[\d.]+$|:/.test(address.name)) {
    return [
      warning(
        `${address.name} is not an IP address, so PostgreSQL takes it for a host name; correct it`,
      ),
    ];
  }
  if (address.kind !== "network") return [];
  const { network, zone } = address;
  if (zone !== undefined)
    return [warning(`PostgreSQL ignores the network interface ${zone}; leave %${zone} out`)];
  const gaps = prefixLength(network.mask) === undefined;
  if (gaps) return [gapWarning(network)];
  if (network.base.every((byte, at) => (byte & ~(network.mask[at] ?? 0)) === 0)) return [];
  const trimmed = formatNetwork(trimNetwork(network));
  const written = formatNetwork(network);
  const length = network.base.length * 8;
  const single = written.replace(/\d+$/, String(length));
  return [
    warning(
      `${written} has host bits, which PostgreSQL ignores; write ${trimmed} for the network or ${single} for the single address`,
    ),
  ];
}

function gapWarning({ base, mask }: Network): RuleProblem {
  const inverted = mask.map((byte) => 0xff & ~byte);
  const shown = formatNetwork({ base, mask }).split(" ")[1] ?? "";
  return prefixLength(inverted) === undefined
    ? warning(`mask ${shown} has gaps; write the network as address/length`)
    : warning(
        `mask ${shown} is inverted; write ${formatNetwork(trimNetwork({ base, mask: inverted }))}`,
      );
}

/**
 * Whether getaddrinfo(3) accepts a zone: a number with any IPv6 address, and with a link-local one a network interface, of
 * which only the loopback is on every machine.
 */
function isAcceptedZone(address: string, zone: string): boolean {
  if (!address.includes(":")) return false;
  if (/^\d+$/.test(zone)) return Number(zone) < 2 ** 32;
  return zone === "lo" && /^(?:fe[89ab][\da-f]|ff[\da-f][12]):/i.test(address);
}

function withZone(
  address: SourceAddress | RuleProblem,
  zone: string | undefined,
): SourceAddress | RuleProblem {
  const hasZone = zone !== undefined && !("severity" in address) && address.kind === "network";
  return hasZone ? { ...address, zone } : address;
}

function parsePrefixed(text: string): SourceAddress | RuleProblem {
  const network = parseCidr(text);
  if (network) return { kind: "network", network };
  const [host = "", length = ""] = text.split(/\/(.*)/s);
  const ip = parseIp(host);
  if (ip) {
    return error(`prefix length "${length}" of ${text} is invalid; write 0 to ${ip.length * 8}`);
  }
  return /^[\d.]+$|:/.test(host)
    ? error(
        `${host} in ${text} is not an IP address; write four numbers from 0 to 255, or an IPv6 address`,
      )
    : error(`host name ${host} has the mask /${length}; leave the mask out`);
}

function parseMasked(text: string, mask: string): SourceAddress | RuleProblem {
  const base = parseIp(text);
  const token = readToken(mask);
  const bits = token && parseIp(token.text);
  if (!base || !bits) {
    return error(
      `mask "${mask}" of ${text} is not a mask; write it like 255.255.255.0, or ${text}/24`,
    );
  }
  if (base.length === bits.length) return { kind: "network", network: { base, mask: bits } };
  const [one, other] = base.length === 4 ? ["IPv4", "IPv6"] : ["IPv6", "IPv4"];
  return error(`${text} is ${one}, its mask ${mask} is ${other}; write ${text}/<prefix length>`);
}

function redundantMask(address: string, mask: string): RuleProblem {
  return error(`${address} has an additional mask ${mask}; leave the mask out`);
}

function hostPrefix(text: string, ip: readonly number[]): string {
  return `write ${text}/${ip.length * 8} for this single address, or its network`;
}
