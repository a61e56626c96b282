import { readToken } from "./fields";
import { readSourceAddress, type SourceAddress } from "./source-address";
import { coveredBy, SingleSourceCover, SourceCover, type Cover } from "./source-cover";
import { compileRegex } from "./regex";
import type { ConnectionType, PgHbaRule } from "./rule";
import { formatToken, groupOf, isKeyword, regexOf, type Token } from "./token";

/** The kinds of transport that rules distinguish. */
type Transport = "socket" | "plain" | "tls" | "gss";

type Names = "databases" | "users";

const transportsOf: Readonly<Record<ConnectionType, readonly Transport[]>> = {
  local: ["socket"],
  host: ["plain", "tls", "gss"],
  hostssl: ["tls"],
  hostnossl: ["plain", "gss"],
  hostgssenc: ["gss"],
  hostnogssenc: ["plain", "tls"],
};

/** Rules with more combinations of databases and users are not examined. */
const maxCombinationsOfRule = 1000;

/** Limits for a whole file on stored and looked-up combinations, so that very long lists do not take too long. */
const maxCombinations = 120_000;
const maxLookups = 400_000;

/** Maximum number of regular expressions that are tried on the names of later rules. */
const maxExpressions = 100;

interface Expression {
  readonly matches: (name: string) => boolean;
  readonly key: string;
}

/** The rules for one database and user: a single one, or covers by transport. */
type Cell = Single | Map<Transport, SourceCover>;

/** The only rule so far for a combination of database and user; shared by all combinations of that rule. */
class Single extends SingleSourceCover {
  constructor(
    address: SourceAddress,
    index: number,
    readonly transports: readonly Transport[],
  ) {
    super(address, index);
  }
}

/**
 * Collects rules in order and finds those that together match every connection of a later rule, so that it is never used.
 * It may miss a covered rule (if that depends on role memberships or DNS, or after thousands of long lists), but reports
 * no rule that is not covered.
 */
export class Coverage {
  private readonly cells = new Map<string, Cell>();
  private readonly databases: Expression[] = [];
  private readonly users: Expression[] = [];
  private combinations = 0;
  private lookups = 0;

  /** Indexes of the rules that together match every connection of this rule; `undefined` when some are left to it. */
  of(rule: PgHbaRule): readonly number[] | undefined {
    const address = sourceAddressOf(rule);
    if (!address || rule.databases.length * rule.users.length > maxCombinationsOfRule)
      return undefined;
    const transports = transportsOf[rule.type];
    const found = new Set<number>();
    const users = rule.users.map((word) => keysCovering(word, "users", this.users));
    for (const word of rule.databases) {
      const databaseKeys = keysCovering(word, "databases", this.databases);
      for (const userKeys of users) {
        const cells = this.cellsOf(databaseKeys, userKeys);
        if (cells.length === 0) return undefined;
        for (const transport of transports) {
          const indexes = coveredBy(coversOf(cells, transport), address);
          if (!indexes) return undefined;
          for (const index of indexes) found.add(index);
        }
      }
    }
    return found.size === 0 ? undefined : [...found].sort((a, b) => a - b);
  }

  add(rule: PgHbaRule, index: number): void {
    const address = sourceAddressOf(rule);
    const { databases, users } = rule;
    this.combinations += databases.length * users.length;
    if (!address || this.combinations > maxCombinations) return;
    collectExpressions(databases, this.databases);
    collectExpressions(users, this.users);
    const single = new Single(address, index, transportsOf[rule.type]);
    const userKeys = users.map(keyOf);
    for (const database of databases.map(keyOf)) {
      for (const user of userKeys) this.addTo(cellKey(database, user), single);
    }
  }

  private addTo(key: string, single: Single): void {
    const existing = this.cells.get(key);
    if (existing === undefined) {
      this.cells.set(key, single);
      return;
    }
    const several = existing instanceof Single ? severalOf(existing) : existing;
    if (several !== existing) this.cells.set(key, several);
    addSingle(several, single);
  }

  private cellsOf(databaseKeys: readonly string[], userKeys: readonly string[]): readonly Cell[] {
    this.lookups += databaseKeys.length * userKeys.length;
    if (this.lookups > maxLookups) return [];
    return databaseKeys.flatMap((database) =>
      userKeys.flatMap((user) => this.cells.get(cellKey(database, user)) ?? []),
    );
  }
}

function severalOf(single: Single): Map<Transport, SourceCover> {
  const several = new Map<Transport, SourceCover>();
  addSingle(several, single);
  return several;
}

function addSingle(
  several: Map<Transport, SourceCover>,
  { transports, address, index }: Single,
): void {
  for (const transport of transports) {
    let cover = several.get(transport);
    if (!cover) several.set(transport, (cover = new SourceCover()));
    cover.add(address, index);
  }
}

function coversOf(cells: readonly Cell[], transport: Transport): readonly Cover[] {
  return cells.flatMap((cell): Cover | readonly Cover[] => {
    if (cell instanceof Single) return cell.transports.includes(transport) ? cell : [];
    return cell.get(transport) ?? [];
  });
}

const anywhere: SourceAddress = { kind: "all" };

function sourceAddressOf(rule: PgHbaRule): SourceAddress | undefined {
  const address = rule.type === "local" ? anywhere : readSourceAddress(rule);
  return "severity" in address ? undefined : address;
}

const cellKey = (database: string, user: string): string => `${database} ${user}`;

function keyOf(word: string): string {
  const token = readToken(word);
  return token ? formatToken(token) : word;
}

/** The words that match at least everything that this word matches. */
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
    if (regex === undefined || expressions.length >= maxExpressions) continue;
    const matches = compileRegex(regex);
    const key = keyOf(word);
    if (matches && !expressions.some((known) => known.key === key))
      expressions.push({ matches, key });
  }
}
