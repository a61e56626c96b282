import { readToken } from "./fields";
import { optionProblems } from "./options";
import { sourceAddressWarnings, readSourceAddress } from "./source-address";
import { choicesHint, error, warning, type RuleProblem } from "./problem";
import { compileRegex } from "./regex";
import { authMethods, connectionTypes, type PgHbaRule } from "./rule";
import { regexOf } from "./token";

/** Default major version of PostgreSQL. */
export const defaultVersion = 17;

/**
 * Checks one rule, read from a file or not, and returns all its problems.
 * @param version PostgreSQL's major version, 15 to 18
 */
export function checkRule(rule: PgHbaRule, version = defaultVersion): readonly RuleProblem[] {
  let checked = cache.get(rule);
  if (checked?.version !== version) {
    checked = { version, problems: problemsOf(rule, version) };
    cache.set(rule, checked);
  }
  return checked.problems;
}

interface Checked {
  readonly version: number;
  readonly problems: readonly RuleProblem[];
}

/** Rules are checked when their file is read, and again for the findings. */
const cache = new WeakMap<PgHbaRule, Checked>();

function problemsOf(rule: PgHbaRule, version: number): readonly RuleProblem[] {
  return [
    ...typeProblems(rule),
    ...nameProblems("database", rule.databases, version),
    ...nameProblems("user", rule.users, version),
    ...addressProblems(rule),
    ...methodProblems(rule, version),
  ];
}

function typeProblems({ type }: PgHbaRule): readonly RuleProblem[] {
  if (connectionTypes.includes(type)) return [];
  return [error(`"${type}" is not a connection type; ${choicesHint(type, connectionTypes)}`)];
}

function nameProblems(
  what: "database" | "user",
  names: readonly string[],
  version: number,
): readonly RuleProblem[] {
  if (names.length === 0) return [error(`has no ${what}; write all or a name`)];
  return names.flatMap((name) => {
    const token = readToken(name);
    if (!token)
      return error(`${what} ${JSON.stringify(name)} is more than one word; put it in quotes`);
    if (token.text === "") return warning(`has an empty ${what}; write all or a name`);
    const regex = regexOf(token);
    if (regex === undefined) return [];
    if (version < 16) {
      return warning(`${name} is a literal name in PostgreSQL 15; regular expressions need 16`);
    }
    if (compileRegex(regex)) return [];
    return error(`${name} is not a supported regular expression; correct or simplify it`);
  });
}

function addressProblems(rule: PgHbaRule): readonly RuleProblem[] {
  if (rule.type === "local") {
    const written = [rule.address, rule.mask].filter((text) => text !== undefined).join(" ");
    if (written === "") return [];
    return [error(`local rules have no address, got ${written}; leave it out, or write host`)];
  }
  const address = readSourceAddress(rule);
  return "severity" in address ? [address] : sourceAddressWarnings(address);
}

function methodProblems(rule: PgHbaRule, version: number): readonly RuleProblem[] {
  const { type, method } = rule;
  const known = authMethods.filter((name) => name !== "oauth" || version >= 18);
  if (method === "oauth" && version < 18) {
    return [error(`oauth needs PostgreSQL 18, this is ${version}; use another method`)];
  }
  if (!known.includes(method)) {
    return [error(`"${method}" is not a method; ${choicesHint(method, known)}`)];
  }
  if (method === "peer" && type !== "local") {
    return [error(`peer is for local rules only, not ${type}; use scram-sha-256`)];
  }
  if (method === "gss" && type === "local") {
    return [error("gss is for host rules only, not local; use peer")];
  }
  if (method === "cert" && type !== "hostssl") {
    return [error(`cert is for hostssl rules only, not ${type}; write hostssl`)];
  }
  if (method === "sspi" || method === "bsd") {
    const system = method === "sspi" ? "Windows" : "OpenBSD";
    return [error(`${method} works with PostgreSQL on ${system} only; use scram-sha-256`)];
  }
  return optionProblems(rule);
}
