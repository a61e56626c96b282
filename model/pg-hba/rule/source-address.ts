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

/** Where a rule lets connections come from. */
export type Place =
  | { readonly kind: "all" | "samehost" | "samenet" }
  | { readonly kind: "network"; readonly network: Network }
  /** A host name, or `.suffix`. */
  | { readonly kind: "host"; readonly name: string };

const known = new WeakMap<Pick<PgHbaRule, "address" | "mask">, Place | RuleProblem>();

/** Where the connections of a rule come from, or why it cannot be told. Not for `local` rules. */
export function readPlace(rule: Pick<PgHbaRule, "address" | "mask">): Place | RuleProblem {
  let place = known.get(rule);
  if (!place) known.set(rule, (place = read(rule)));
  return place;
}

function read({ address, mask }: Pick<PgHbaRule, "address" | "mask">): Place | RuleProblem {
  if (address === undefined) {
    return error("has no address; write a network like 10.20.0.0/24, samenet or all");
  }
  const token = readToken(address);
  if (!token) return error(`address "${address}" is not one word; write one network per rule`);
  const { text, quoted } = token;
  if (!quoted && (text === "all" || text === "samehost" || text === "samenet")) {
    return mask === undefined ? { kind: text } : needless(text, mask);
  }
  const [, zone] = /^[\da-f:.]+(%[^/]*)/i.exec(text) ?? [];
  // Link-local addresses may have one.
  if (zone !== undefined && !/^fe[89ab]/i.test(text)) {
    return error(`${text} names a network interface, which does not count; leave ${zone} out`);
  }
  if (text.includes("/")) return mask === undefined ? prefixed(text) : needless(text, mask);
  const ip = parseIp(text);
  if (ip) {
    return mask === undefined
      ? error(`${text} has no mask; ${hostPrefix(text, ip)}`)
      : masked(text, mask);
  }
  if (mask !== undefined)
    return error(`host name ${text} has the mask ${mask}; leave the mask out`);
  return { kind: "host", name: text };
}

/** What is odd about a place that PostgreSQL takes. */
export function placeWarnings(place: Place): readonly RuleProblem[] {
  if (place.kind === "host" && /^[\d.]+$|:/.test(place.name)) {
    return [warning(`${place.name} is no IP address, so it is taken for a host name; correct it`)];
  }
  if (place.kind !== "network") return [];
  const { network } = place;
  const gaps = prefixLength(network.mask) === undefined;
  if (gaps) return [gapWarning(network)];
  if (network.base.every((byte, at) => (byte & ~(network.mask[at] ?? 0)) === 0)) return [];
  const trimmed = formatNetwork(trimNetwork(network));
  const written = formatNetwork(network);
  const length = network.base.length * 8;
  const single = written.replace(/\d+$/, String(length));
  return [
    warning(
      `${written} has bits behind its prefix, which do not count; write ${trimmed} for the network or ${single} for the one address`,
    ),
  ];
}

function gapWarning({ base, mask }: Network): RuleProblem {
  const turned = mask.map((byte) => 0xff & ~byte);
  const shown = formatNetwork({ base, mask }).split(" ")[1] ?? "";
  return prefixLength(turned) === undefined
    ? warning(`mask ${shown} has gaps; write the network as address/length`)
    : warning(
        `mask ${shown} is the wrong way round; write ${formatNetwork(trimNetwork({ base, mask: turned }))}`,
      );
}

function prefixed(text: string): Place | RuleProblem {
  const network = parseCidr(text);
  if (network) return { kind: "network", network };
  const [host = "", length = ""] = text.split(/\/(.*)/s);
  const ip = parseIp(host);
  if (ip) {
    return error(`prefix length "${length}" of ${text} does not fit; write 0 to ${ip.length * 8}`);
  }
  return /^[\d.]+$|:/.test(host)
    ? error(
        `${host} in ${text} is no IP address; write four numbers from 0 to 255, or an IPv6 address`,
      )
    : error(`host name ${host} has the mask /${length}; leave the mask out`);
}

function masked(text: string, mask: string): Place | RuleProblem {
  const base = parseIp(text);
  const token = readToken(mask);
  const bits = token && parseIp(token.text);
  if (!base || !bits) {
    return error(
      `mask "${mask}" of ${text} is no mask; write it like 255.255.255.0, or ${text}/24`,
    );
  }
  if (base.length === bits.length) return { kind: "network", network: { base, mask: bits } };
  const [one, other] = base.length === 4 ? ["IPv4", "IPv6"] : ["IPv6", "IPv4"];
  return error(`${text} is ${one}, its mask ${mask} is ${other}; write ${text}/<prefix length>`);
}

function needless(address: string, mask: string): RuleProblem {
  return error(`${address} has the mask ${mask} besides; leave the mask out`);
}

function hostPrefix(text: string, ip: readonly number[]): string {
  return `write ${text}/${ip.length * 8} for this one address, or the network it is in`;
}
