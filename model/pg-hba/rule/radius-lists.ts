import { IPv4, IPv6 } from "ipaddr.js";
import { error, type RuleProblem } from "./problem";
import type { PgHbaRule } from "./rule";

/** The options of a rule with the method `radius`, each a list. PostgreSQL manual, 20.11. */
const listOptions = ["radiusservers", "radiussecrets", "radiusports", "radiusidentifiers"] as const;
type ListOption = (typeof listOptions)[number];

/** Checks the lists of a RADIUS rule. */
export function radiusProblems(options: Readonly<Record<string, string>>): readonly RuleProblem[] {
  const lists: Partial<Record<ListOption, readonly string[]>> = {};
  for (const name of listOptions) {
    const text = options[name];
    if (text === undefined) continue;
    const list = splitList(text);
    if (!list)
      return [
        error(
          `${name} is not a list${shown(name, text)}; write values without blanks, with commas between`,
        ),
      ];
    lists[name] = list;
  }
  const {
    radiusservers: servers = [],
    radiussecrets: secrets = [],
    radiusports: ports = [],
  } = lists;
  for (const [name, list] of Object.entries({ radiusservers: servers, radiussecrets: secrets }))
    if (list.length === 0) return [error(`radius needs the option ${name}; add ${name}=…`)];
  const port = ports.find((text) => !/^\s*[+-]?0*[1-9]/.test(text));
  if (port !== undefined) return [error(`radiusports must be a list of ports, got "${port}"`)];
  const other = listOptions.slice(1).find((name) => {
    const count = lists[name]?.length ?? 0;
    return count > 1 && count !== servers.length;
  });
  if (other !== undefined) {
    const count = lists[other]?.length ?? 0;
    return [
      error(
        `${other} has ${count} values for ${servers.length} servers; write one value, or one per server`,
      ),
    ];
  }
  return servers
    .filter((server) => !isAddress(server) && !isHostName(server))
    .map((server) =>
      error(`RADIUS server "${server}" is not a host name or an address; correct it`),
    );
}

/** The RADIUS servers of a rule that are names, which PostgreSQL resolves whenever it reads the rules. */
export function namedServers({
  method,
  options = {},
}: Pick<PgHbaRule, "method" | "options">): string[] {
  if (method !== "radius") return [];
  return (splitList(options["radiusservers"] ?? "") ?? []).filter(isHostName);
}

const isAddress = (text: string): boolean => IPv4.isValid(text) || IPv6.isValid(text);

/** Whether a text may be a name that can be resolved. RFC 6761, 6.4: names under `invalid` cannot. */
const isHostName = (text: string): boolean =>
  !isAddress(text) && /^[\w.-]+$/.test(text) && !/(?:^|\.)invalid\.?$/i.test(text);

function shown(name: string, text: string): string {
  return name === "radiussecrets" ? "" : `: "${text}"`;
}

/** Splits a list as PostgreSQL's `SplitGUCList` does; `undefined` when it rejects the list. An empty text is an empty list. */
export function splitList(text: string): readonly string[] | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  const items = /^\s*(?:"((?:[^"]|"")*)"|([^\s,"][^\s,]*))\s*(,|$)/;
  const list: string[] = [];
  for (let rest = trimmed; ;) {
    const found = items.exec(rest);
    if (!found) return undefined;
    const [whole, quoted, plain = "", end] = found;
    list.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "") return list;
    rest = rest.slice(whole.length);
  }
}
