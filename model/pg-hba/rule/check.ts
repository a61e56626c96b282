import { readToken } from "./fields";
import { optionProblems } from "./options";
import { placeWarnings, readPlace } from "./source-address";
import { choices, error, warning, type RuleProblem } from "./problem";
import { compileRegex } from "./regex";
import { authMethods, connectionTypes, type PgHbaRule } from "./rule";
import { regexOf } from "./token";

/** The version of PostgreSQL that a file is for, where none is named. */
export const defaultVersion = 17;

/**
 * All that is wrong with one rule. Also for rules that were not read from a file.
 * @param version PostgreSQL's major version, 15 to 18
 */
export function checkRule(rule: PgHbaRule, version = defaultVersion): readonly RuleProblem[] {
  let checked = known.get(rule);
  if (checked?.version !== version) {
    checked = { version, problems: problemsOf(rule, version) };
    known.set(rule, checked);
  }
  return checked.problems;
}

interface Checked {
  readonly version: number;
  readonly problems: readonly RuleProblem[];
}

/** A file is checked when it is read, and its rules again with all that is found about them. */
const known = new WeakMap<PgHbaRule, Checked>();

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
  return [error(`"${type}" is no connection type; ${choices(type, connectionTypes)}`)];
}

function nameProblems(
  what: "database" | "user",
  names: readonly string[],
  version: number,
): readonly RuleProblem[] {
  if (names.length === 0) return [error(`names no ${what}; write all or a name`)];
  return names.flatMap((name) => {
    const token = readToken(name);
    if (!token) return error(`${what} ${JSON.stringify(name)} is not one word; put it in quotes`);
    if (token.text === "") return warning(`the ${what} "" is empty; write all or a name`);
    const regex = regexOf(token);
    if (regex === undefined) return [];
    if (version < 16) {
      return warning(`${name} is a name up to PostgreSQL 15; regular expressions came with 16`);
    }
    if (compileRegex(regex)) return [];
    return error(`${name} is no regular expression that can be read; correct or simplify it`);
  });
}

function addressProblems(rule: PgHbaRule): readonly RuleProblem[] {
  if (rule.type === "local") {
    const given = [rule.address, rule.mask].filter((text) => text !== undefined).join(" ");
    if (given === "") return [];
    return [error(`local takes no address, got ${given}; leave it out, or write host`)];
  }
  const place = readPlace(rule);
  return "severity" in place ? [place] : placeWarnings(place);
}

function methodProblems(rule: PgHbaRule, version: number): readonly RuleProblem[] {
  const { type, method } = rule;
  const known = authMethods.filter((name) => name !== "oauth" || version >= 18);
  if (method === "oauth" && version < 18) {
    return [error(`oauth came with PostgreSQL 18, this is for ${version}; use another method`)];
  }
  if (!known.includes(method)) {
    return [error(`"${method}" is no method; ${choices(method, known)}`)];
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
    return [error(`${method} is for PostgreSQL on ${system} only; use scram-sha-256`)];
  }
  return optionProblems(rule);
}
