import { addressBits, prefixLength } from "./address";
import type { SourceAddress } from "./source-address";

/** Covers with more networks are not combined into larger networks. */
const maxNetworks = 1000;

/**
 * Source addresses of rules that are otherwise the same. The key of a network is the bits of its prefix: a network whose key begins with another key is inside it.
 */
export interface Cover {
  /** Number of networks. */
  readonly networks: number;
  /** Index of the first rule that covers an address without the others. */
  whole(address: SourceAddress): number | undefined;
  /** Index of the first rule for exactly this network. */
  rule(network: string): number | undefined;
  /** Whether there are networks inside this one. */
  hasWithin(network: string): boolean;
}

/** The cover of one rule, by far the most common in a long file. */
export class SingleSourceCover implements Cover {
  readonly networks: number;
  private readonly key: string;

  constructor(
    readonly address: SourceAddress,
    readonly index: number,
  ) {
    this.key = keyOf(address);
    this.networks = isNetwork(address, this.key) ? 1 : 0;
  }

  whole(address: SourceAddress): number | undefined {
    const key = keyOf(address);
    const covers =
      this.key === "all" ||
      this.key === key ||
      (this.key === "samenet" && address.kind === "samehost") ||
      (this.networks === 1 && address.kind === "network" && key.startsWith(this.key));
    return covers ? this.index : undefined;
  }

  rule(network: string): number | undefined {
    return this.key === network ? this.index : undefined;
  }

  hasWithin(network: string): boolean {
    return this.networks === 1 && this.key.length > network.length && this.key.startsWith(network);
  }
}

/** The cover of several rules. */
export class SourceCover implements Cover {
  /** Index of the first rule, by key. */
  private readonly first = new Map<string, number>();
  private readonly lengths = new Set<number>();
  /** Networks not yet added to {@link above}, which is built on demand. */
  private readonly added: string[] = [];
  /** Keys of all networks that contain one of the networks. */
  private readonly above = new Set<string>();
  networks = 0;

  add(address: SourceAddress, index: number): void {
    const key = keyOf(address);
    if (this.first.has(key)) return;
    this.first.set(key, index);
    if (!isNetwork(address, key)) return;
    this.lengths.add(key.length);
    this.networks++;
    if (this.networks <= maxNetworks) this.added.push(key);
  }

  whole(address: SourceAddress): number | undefined {
    const key = keyOf(address);
    const keys = ["all", key];
    if (address.kind === "samehost") keys.push("samenet");
    if (address.kind === "network") {
      for (const length of this.lengths) if (length < key.length) keys.push(key.slice(0, length));
    }
    const found = keys.flatMap((candidate) => this.first.get(candidate) ?? []);
    return found.length === 0 ? undefined : Math.min(...found);
  }

  rule(network: string): number | undefined {
    return this.first.get(network);
  }

  hasWithin(network: string): boolean {
    for (let key = this.added.pop(); key !== undefined; key = this.added.pop()) {
      for (let length = key.length - 1; length > 0; length--) {
        const prefix = key.slice(0, length);
        if (this.above.has(prefix)) break;
        this.above.add(prefix);
      }
    }
    return this.above.has(network) && this.networks <= maxNetworks;
  }
}

/** Indexes of the rules that cover an address, individually or combined; `undefined` when they do not. */
export function coveredBy(
  covers: readonly Cover[],
  address: SourceAddress,
): readonly number[] | undefined {
  const whole = covers.flatMap((cover) => cover.whole(address) ?? []);
  if (whole.length > 0) return [Math.min(...whole)];
  // Only two or more networks can make up a larger one.
  if (covers.reduce((sum, { networks }) => sum + networks, 0) < 2) return undefined;
  if (address.kind === "network") return combine(covers, keyOf(address));
  const [four, six] = ["4", "6"].map((kind) => combine(covers, kind));
  return four && six && [...four, ...six];
}

/** Indexes of the rules whose networks make up a network, half by half; `undefined` when there is a gap. */
function combine(covers: readonly Cover[], network: string): readonly number[] | undefined {
  const own = covers.flatMap((cover) => cover.rule(network) ?? []);
  if (own.length > 0) return [Math.min(...own)];
  if (!covers.some((cover) => cover.hasWithin(network))) return undefined;
  const low = combine(covers, `${network}0`);
  const high = low && combine(covers, `${network}1`);
  return high && [...low, ...high];
}

/** Whether an address is a network with a contiguous mask. */
function isNetwork(address: SourceAddress, key: string): boolean {
  return address.kind === "network" && !key.startsWith("gaps");
}

const keys = new WeakMap<SourceAddress, string>();

function keyOf(address: SourceAddress): string {
  let key = keys.get(address);
  if (key === undefined) keys.set(address, (key = makeKey(address)));
  return key;
}

function makeKey(address: SourceAddress): string {
  if (address.kind === "host") return `host ${address.name.toLowerCase()}`;
  if (address.kind !== "network") return address.kind;
  const { base, mask } = address.network;
  const length = prefixLength(mask);
  if (length === undefined) return `gaps ${base.join(".")} ${mask.join(".")}`;
  return (base.length === 4 ? "4" : "6") + addressBits(base).slice(0, length);
}
