import { IPv4, IPv6 } from "ipaddr.js";

/** The bytes of an IP address: 4 or 16. */
export type Ip = readonly number[];

/** An address range: the addresses that equal `base` in the bits of `mask`. */
export interface Network {
  readonly base: Ip;
  readonly mask: Ip;
}

/** Parses an IP address in any notation that PostgreSQL accepts; `undefined` for anything else. An IPv4-mapped IPv6 address stays IPv6. */
export function parseIp(text: string): Ip | undefined {
  // Most words are names. This check avoids the cost of an exception for each.
  if (!/^\d[\da-fx.]*$|^[\da-f]*:/i.test(text)) return undefined;
  // Fast path for the usual notation: a file may have thousands of addresses.
  if (/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((byte) => byte <= 255) ? bytes : undefined;
  }
  try {
    if (!text.includes(":")) return IPv4.parse(text).toByteArray();
    const inHex = withoutDottedQuad(text);
    return inHex === undefined ? undefined : IPv6.parse(inHex).toByteArray();
  } catch {
    return undefined;
  }
}

/**
 * Replaces the IPv4 notation at the end of an IPv6 address, `::1.2.3.4`, by hexadecimal numbers; `undefined` if it is invalid.
 * The library takes `::1.2.3.4` for `::ffff:1.2.3.4`, which is another address. RFC 4291, 2.2.
 */
function withoutDottedQuad(text: string): string | undefined {
  const [, head, quad, zone = ""] = /^(.*:)([^:%]*\.[^:%]*)(%.*)?$/.exec(text) ?? [];
  if (head === undefined || quad === undefined) return text;
  const bytes = quad.split(".").map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? +part : 256));
  if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) return undefined;
  const hex = Buffer.from(bytes).toString("hex");
  return `${head}${hex.slice(0, 4)}:${hex.slice(4)}${zone}`;
}

/** Formats an address: `10.20.0.1`, `2001:db8::1`. */
export function formatIp(ip: Ip): string {
  return ip.length === 4 ? new IPv4([...ip]).toString() : new IPv6([...ip]).toRFC5952String();
}

/** Parses CIDR notation, e.g. `10.20.0.0/24`; `undefined` for anything else. */
export function parseCidr(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const base = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  // PostgreSQL skips white space before the number, which a quoted word may have.
  if (slash < 0 || !base || !/^[ \t\n\v\f\r]*[+-]?\d+$/.test(length)) return undefined;
  if (+length < 0) return undefined;
  return Number(length) > base.length * 8 ? undefined : { base, mask: prefixMask(base, +length) };
}

/** The mask of a prefix length, for the address family of `like`. */
export function prefixMask(like: Ip, length: number): Ip {
  return like.map((_, index) => 0xff & ~(0xff >> Math.min(8, Math.max(0, length - 8 * index))));
}

/** The prefix length of a mask; `undefined` for a non-contiguous mask. */
export function prefixLength(mask: Ip): number | undefined {
  const ones = mask.findIndex((byte) => byte !== 0xff);
  if (ones < 0) return mask.length * 8;
  const bits = Math.clz32(0xff & ~(mask[ones] ?? 0)) - 24;
  const isWhole = mask[ones] === (0xff & ~(0xff >> bits));
  return isWhole && mask.every((byte, at) => at <= ones || byte === 0)
    ? ones * 8 + bits
    : undefined;
}

const bitsOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(2).padStart(8, "0"),
);

/** The bits of an address, as `0` and `1`. */
export function addressBits(ip: Ip): string {
  return ip.map((byte) => bitsOfByte[byte] ?? "").join("");
}

/** Whether an address is in a network of the same address family. */
export function inNetwork(ip: Ip, { base, mask }: Network): boolean {
  return ip.length === base.length && ip.every((byte, at) => same(byte, base[at], mask[at]));
}

/** Whether all addresses of one network are in another. */
export function coversNetwork(outer: Network, inner: Network): boolean {
  return (
    inNetwork(inner.base, outer) &&
    outer.mask.every((byte, at) => (byte & (inner.mask[at] ?? 0)) === byte)
  );
}

/** A network with the host bits of its base set to zero. */
export function trimNetwork({ base, mask }: Network): Network {
  return { base: base.map((byte, at) => byte & (mask[at] ?? 0)), mask };
}

/** The lowest and the highest address of a network. */
export function endsOf({ base, mask }: Network): readonly [Ip, Ip] {
  const low = trimNetwork({ base, mask }).base;
  return [low, low.map((byte, at) => byte | (0xff & ~(mask[at] ?? 0)))];
}

/** Formats a network: `10.20.0.0/24`, or `10.0.1.0 255.0.255.0` for a non-contiguous mask. */
export function formatNetwork({ base, mask }: Network): string {
  const length = prefixLength(mask);
  return length === undefined
    ? `${formatIp(base)} ${formatIp(mask)}`
    : `${formatIp(base)}/${length}`;
}

function same(byte: number, other = 0, mask = 0): boolean {
  return ((byte ^ other) & mask) === 0;
}
