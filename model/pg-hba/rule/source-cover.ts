import { bitsOf, prefixLength } from "./address";
import type { Place } from "./source-address";

/** More networks than this are not put together into a larger one. */
const mostNetworks = 1000;

/** The places of rules that are the same in all else. A network is known by the bits of its prefix: one that begins with another is within it. */
export interface Cover {
  /** How many networks are among them. */
  readonly networks: number;
  /** The first rule that takes every connection from a place by itself. */
  whole(place: Place): number | undefined;
  /** The first rule for just this network. */
  rule(network: string): number | undefined;
  /** Whether there are networks within another one. */
  hasWithin(network: string): boolean;
}

/** The place of one rule: nearly all covers of a long file are of a single one. */
export class OnePlace implements Cover {
  readonly networks: number;
  private readonly key: string;

  constructor(
    readonly place: Place,
    readonly index: number,
  ) {
    this.key = keyOf(place);
    this.networks = isNetwork(place, this.key) ? 1 : 0;
  }

  whole(place: Place): number | undefined {
    const wanted = keyOf(place);
    const covers =
      this.key === "all" ||
      this.key === wanted ||
      (this.key === "samenet" && place.kind === "samehost") ||
      (this.networks === 1 && place.kind === "network" && wanted.startsWith(this.key));
    return covers ? this.index : undefined;
  }

  rule(network: string): number | undefined {
    return this.key === network ? this.index : undefined;
  }

  hasWithin(network: string): boolean {
    return this.networks === 1 && this.key.length > network.length && this.key.startsWith(network);
  }
}

/** The places of several rules. */
export class PlaceCover implements Cover {
  /** First rule by place. */
  private readonly first = new Map<string, number>();
  private readonly lengths = new Set<number>();
  /** Networks that {@link above} is still to know of: most are never asked about. */
  private readonly added: string[] = [];
  /** Prefixes of the networks that are not networks themselves. */
  private readonly above = new Set<string>();
  networks = 0;

  add(place: Place, index: number): void {
    const key = keyOf(place);
    if (this.first.has(key)) return;
    this.first.set(key, index);
    if (!isNetwork(place, key)) return;
    this.lengths.add(key.length);
    this.networks++;
    if (this.networks <= mostNetworks) this.added.push(key);
  }

  whole(place: Place): number | undefined {
    const key = keyOf(place);
    const keys = ["all", key];
    if (place.kind === "samehost") keys.push("samenet");
    if (place.kind === "network") {
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
    return this.above.has(network) && this.networks <= mostNetworks;
  }
}

/** The rules that take every connection from a place, alone or together; `undefined` when some are left. */
export function coveredBy(covers: readonly Cover[], place: Place): readonly number[] | undefined {
  const alone = covers.flatMap((cover) => cover.whole(place) ?? []);
  if (alone.length > 0) return [Math.min(...alone)];
  // It takes two networks to make up a larger one.
  if (covers.reduce((sum, { networks }) => sum + networks, 0) < 2) return undefined;
  if (place.kind === "network") return together(covers, keyOf(place));
  const [four, six] = ["4", "6"].map((kind) => together(covers, kind));
  return four && six && [...four, ...six];
}

/** The rules whose networks make up a whole network, half by half; `undefined` when there is a gap. */
function together(covers: readonly Cover[], network: string): readonly number[] | undefined {
  const own = covers.flatMap((cover) => cover.rule(network) ?? []);
  if (own.length > 0) return [Math.min(...own)];
  if (!covers.some((cover) => cover.hasWithin(network))) return undefined;
  const low = together(covers, `${network}0`);
  const high = low && together(covers, `${network}1`);
  return high && [...low, ...high];
}

/** Whether a place is a network whose mask has no gaps. */
function isNetwork(place: Place, key: string): boolean {
  return place.kind === "network" && !key.startsWith("gaps");
}

const known = new WeakMap<Place, string>();

function keyOf(place: Place): string {
  let key = known.get(place);
  if (key === undefined) known.set(place, (key = makeKey(place)));
  return key;
}

function makeKey(place: Place): string {
  if (place.kind === "host") return `host ${place.name.toLowerCase()}`;
  if (place.kind !== "network") return place.kind;
  const { base, mask } = place.network;
  const length = prefixLength(mask);
  if (length === undefined) return `gaps ${base.join(".")} ${mask.join(".")}`;
  return (base.length === 4 ? "4" : "6") + bitsOf(base).slice(0, length);
}
