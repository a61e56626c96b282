import { readToken } from "./fields";
import { readPlace, type Place } from "./source-address";
import { coveredBy, OnePlace, PlaceCover, type Cover } from "./source-cover";
import { compileRegex } from "./regex";
import type { ConnectionType, PgHbaRule } from "./rule";
import { formatToken, groupOf, isKeyword, regexOf, type Token } from "./token";

/** The ways a connection can come in, as far as rules tell them apart. */
type Way = "socket" | "plain" | "tls" | "gss";

type Names = "databases" | "users";

const waysOf: Readonly<Record<ConnectionType, readonly Way[]>> = {
  local: ["socket"],
  host: ["plain", "tls", "gss"],
  hostssl: ["tls"],
  hostnossl: ["plain", "gss"],
  hostgssenc: ["gss"],
  hostnogssenc: ["plain", "tls"],
};

/** More combinations of databases and users than this in one rule are not looked into. */
const mostCombinations = 1000;

/** Nor are more than this kept of a whole file, or looked up for it: one of endless lists must not cost endless time. */
const mostKept = 120_000;
const mostLooks = 400_000;

/** Regular expressions that are tried on the names of later rules. */
const mostExpressions = 100;

interface Expression {
  readonly matches: (name: string) => boolean;
  readonly key: string;
}

/** The rules for one database and user: a single one, or by the way that a connection comes in. */
type Cell = Single | Map<Way, PlaceCover>;

/** One rule's part in all the combinations that it names first. */
class Single extends OnePlace {
  constructor(
    place: Place,
    index: number,
    readonly ways: readonly Way[],
  ) {
    super(place, index);
  }
}

/**
 * Collects rules in their order and tells which of them leave nothing for a next one. It may miss a rule that is covered in
 * a way only the catalog or the name service could tell, or behind thousands of long lists, and never names one that is not.
 */
export class Coverage {
  private readonly cells = new Map<string, Cell>();
  private readonly databases: Expression[] = [];
  private readonly users: Expression[] = [];
  private kept = 0;
  private looks = 0;

  /** The rules, by index, that together take every connection of this one; `undefined` when some are left to it. */
  of(rule: PgHbaRule): readonly number[] | undefined {
    const place = placeOf(rule);
    if (!place || rule.databases.length * rule.users.length > mostCombinations) return undefined;
    const ways = waysOf[rule.type];
    const found = new Set<number>();
    const users = rule.users.map((word) => keysCovering(word, "users", this.users));
    for (const word of rule.databases) {
      const databaseKeys = keysCovering(word, "databases", this.databases);
      for (const userKeys of users) {
        const cells = this.cellsOf(databaseKeys, userKeys);
        if (cells.length === 0) return undefined;
        for (const way of ways) {
          const indexes = coveredBy(coversOf(cells, way), place);
          if (!indexes) return undefined;
          for (const index of indexes) found.add(index);
        }
      }
    }
    return found.size === 0 ? undefined : [...found].sort((a, b) => a - b);
  }

  add(rule: PgHbaRule, index: number): void {
    const place = placeOf(rule);
    const { databases, users } = rule;
    this.kept += databases.length * users.length;
    if (!place || this.kept > mostKept) return;
    collectExpressions(databases, this.databases);
    collectExpressions(users, this.users);
    const single = new Single(place, index, waysOf[rule.type]);
    const userKeys = users.map(keyOf);
    for (const database of databases.map(keyOf)) {
      for (const user of userKeys) this.addTo(cellKey(database, user), single);
    }
  }

  private addTo(key: string, single: Single): void {
    const there = this.cells.get(key);
    if (there === undefined) {
      this.cells.set(key, single);
      return;
    }
    const several = there instanceof Single ? severalOf(there) : there;
    if (several !== there) this.cells.set(key, several);
    addSingle(several, single);
  }

  private cellsOf(databaseKeys: readonly string[], userKeys: readonly string[]): readonly Cell[] {
    this.looks += databaseKeys.length * userKeys.length;
    if (this.looks > mostLooks) return [];
    return databaseKeys.flatMap((database) =>
      userKeys.flatMap((user) => this.cells.get(cellKey(database, user)) ?? []),
    );
  }
}

function severalOf(single: Single): Map<Way, PlaceCover> {
  const several = new Map<Way, PlaceCover>();
  addSingle(several, single);
  return several;
}

function addSingle(several: Map<Way, PlaceCover>, { ways, place, index }: Single): void {
  for (const way of ways) {
    let cover = several.get(way);
    if (!cover) several.set(way, (cover = new PlaceCover()));
    cover.add(place, index);
  }
}

function coversOf(cells: readonly Cell[], way: Way): readonly Cover[] {
  return cells.flatMap((cell): Cover | readonly Cover[] => {
    if (cell instanceof Single) return cell.ways.includes(way) ? cell : [];
    return cell.get(way) ?? [];
  });
}

const anywhere: Place = { kind: "all" };

function placeOf(rule: PgHbaRule): Place | undefined {
  const place = rule.type === "local" ? anywhere : readPlace(rule);
  return "severity" in place ? undefined : place;
}

const cellKey = (database: string, user: string): string => `${database} ${user}`;

function keyOf(word: string): string {
  const token = readToken(word);
  return token ? formatToken(token) : word;
}

/** The words, any of which takes everything that this one means. */
function keysCovering(
  word: string,
  names: Names,
  expressions: readonly Expression[],
): readonly string[] {
  const token = readToken(word);
  if (!token) return [word];
  const keys = new Set([formatToken(token)]);
  if (names === "users" || !isKeyword(token, "replication")) keys.add("all");
  if (!isPlainName(token, names)) return [...keys];
  // A role is a member of itself.
  if (names === "users") keys.add(formatToken({ text: `+${token.text}`, quoted: false }));
  for (const { matches, key } of expressions) if (matches(token.text)) keys.add(key);
  return [...keys];
}

function isPlainName(token: Token, names: Names): boolean {
  if (isKeyword(token, "all") || regexOf(token) !== undefined) return false;
  if (names === "users") return groupOf(token) === undefined;
  const special = ["sameuser", "samerole", "samegroup", "replication"];
  return !special.some((keyword) => isKeyword(token, keyword));
}

function collectExpressions(words: readonly string[], expressions: Expression[]): void {
  for (const word of words) {
    const token = readToken(word);
    const regex = token && regexOf(token);
    if (regex === undefined || expressions.length >= mostExpressions) continue;
    const matches = compileRegex(regex);
    const key = keyOf(word);
    if (matches && !expressions.some((known) => known.key === key))
      expressions.push({ matches, key });
  }
}
