import { readToken } from "./fields";
import { readPlace, type Place } from "./place";
import { PlaceCover } from "./place-cover";
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

/** More combinations of ways, databases and users than this in one rule are not looked into. */
const mostCombinations = 1000;

/** Regular expressions that are tried on the names of later rules. */
const mostExpressions = 100;

interface Expression {
  readonly matches: (name: string) => boolean;
  readonly key: string;
}

/**
 * Collects rules in their order and tells which of them leave nothing for a next one. It may miss a rule that is covered in
 * a way only the catalog or the name service could tell, and never names one that is not.
 */
export class Coverage {
  private readonly places = new Map<string, PlaceCover>();
  private readonly databases: Expression[] = [];
  private readonly users: Expression[] = [];

  /** The rules, by index, that together take every connection of this one; `undefined` when some are left to it. */
  of(rule: PgHbaRule): readonly number[] | undefined {
    const databases = rule.databases.map((word) => keysCovering(word, "databases", this.databases));
    const users = rule.users.map((word) => keysCovering(word, "users", this.users));
    const types = waysOf[rule.type];
    const place = placeOf(rule);
    if (!place || types.length * databases.length * users.length > mostCombinations)
      return undefined;
    const found = new Set<number>();
    for (const way of types) {
      for (const databaseKeys of databases) {
        for (const userKeys of users) {
          const covers = databaseKeys.flatMap((database) =>
            userKeys.flatMap((user) => this.places.get(cellKey(way, database, user)) ?? []),
          );
          const indexes = PlaceCover.of(covers, place);
          if (!indexes) return undefined;
          for (const index of indexes) found.add(index);
        }
      }
    }
    return found.size === 0 ? undefined : [...found].sort((a, b) => a - b);
  }

  add(rule: PgHbaRule, index: number): void {
    const place = placeOf(rule);
    if (!place) return;
    collectExpressions(rule.databases, this.databases);
    collectExpressions(rule.users, this.users);
    for (const way of waysOf[rule.type]) {
      for (const database of rule.databases) {
        for (const user of rule.users) {
          const key = cellKey(way, keyOf(database), keyOf(user));
          let cover = this.places.get(key);
          if (!cover) this.places.set(key, (cover = new PlaceCover()));
          cover.add(place, index);
        }
      }
    }
  }
}

const anywhere: Place = { kind: "all" };

function placeOf(rule: PgHbaRule): Place | undefined {
  const place = rule.type === "local" ? anywhere : readPlace(rule);
  return "severity" in place ? undefined : place;
}

const cellKey = (way: Way, database: string, user: string): string => `${way} ${database} ${user}`;

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
