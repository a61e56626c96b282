import { inNetwork } from "./address";
import type { Caller } from "./connection";
import { readToken } from "./fields";
import { readPlace, type Place } from "./source-address";
import { compileRegex } from "./regex";
import type { PgHbaRule } from "./rule";
import { fileOf, groupOf, isKeyword, regexOf, type Token } from "./token";

type Test = (caller: Caller) => boolean;

/** What a rule looks at, ready to be asked. */
interface Tests {
  readonly place: Test;
  readonly names: Test;
}

const known = new WeakMap<PgHbaRule, Tests>();

/** Whether a rule is for a connection, as PostgreSQL decides it (`check_hba`). A rule with an error matches nothing. */
export function matches(rule: PgHbaRule, caller: Caller): boolean {
  return matchesType(rule, caller) && testsOf(rule).place(caller) && testsOf(rule).names(caller);
}

/** Whether a rule is for the database and the user of a connection, wherever that comes from. */
export function matchesNames(rule: PgHbaRule, caller: Caller): boolean {
  return testsOf(rule).names(caller);
}

function testsOf(rule: PgHbaRule): Tests {
  let tests = known.get(rule);
  if (!tests) {
    const isDatabase = anyOf(rule.databases, databaseTest);
    const isUser = anyOf(rule.users, userTest);
    const names: Test = (caller) => isDatabase(caller) && isUser(caller);
    tests = { place: rulePlaceTest(rule), names };
    known.set(rule, tests);
  }
  return tests;
}

function rulePlaceTest(rule: PgHbaRule): Test {
  if (rule.type === "local") return () => true;
  const place = readPlace(rule);
  return "severity" in place ? () => false : placeTest(place);
}

function matchesType({ type }: PgHbaRule, { local, tls, gss }: Caller): boolean {
  switch (type) {
    case "local":
      return local;
    case "host":
      return !local;
    case "hostssl":
      return !local && tls;
    case "hostnossl":
      return !local && !tls;
    case "hostgssenc":
      return !local && gss;
    case "hostnogssenc":
      return !local && !gss;
  }
}

function placeTest(place: Place): Test {
  switch (place.kind) {
    case "all":
      return () => true;
    case "samehost":
      return ({ sameHost }) => sameHost;
    case "samenet":
      return ({ sameNet }) => sameNet;
    case "network": {
      const { network } = place;
      // An unknown address is taken for one of IPv4.
      const everything = network.mask.length === 4 && network.mask.every((byte) => byte === 0);
      return ({ ip }) => (ip ? inNetwork(ip, network) : everything);
    }
    case "host":
      return ({ hostName }) => hostName !== undefined && matchesHost(place.name, hostName);
  }
}

/** Host names are compared without regard to capitals; `.suffix` is the end of one. */
function matchesHost(pattern: string, hostName: string): boolean {
  const [wanted, given] = [lower(pattern), lower(hostName)];
  return wanted.startsWith(".") ? given.endsWith(wanted) : given === wanted;
}

/** PostgreSQL folds ASCII letters only. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function anyOf(words: readonly string[], test: (token: Token) => Test): Test {
  const tests = words.flatMap((word) => {
    const token = readToken(word);
    // The names in a file that was not read are not known.
    return token && fileOf(token) === undefined ? [test(token)] : [];
  });
  return (caller) => tests.some((matchesToken) => matchesToken(caller));
}

function databaseTest(token: Token): Test {
  const isReplication = isKeyword(token, "replication");
  const isDatabase = ordinaryDatabaseTest(token);
  return (caller) => (caller.replication ? isReplication : isDatabase(caller));
}

function ordinaryDatabaseTest(token: Token): Test {
  if (isKeyword(token, "all")) return () => true;
  if (isKeyword(token, "sameuser")) return ({ database, user }) => database === user;
  if (isKeyword(token, "samerole") || isKeyword(token, "samegroup")) {
    return ({ database, roles }) => roles.has(database);
  }
  if (isKeyword(token, "replication")) return () => false;
  return nameTest(token, ({ database }) => database);
}

function userTest(token: Token): Test {
  const group = groupOf(token);
  if (group !== undefined) return ({ roles }) => roles.has(group);
  if (isKeyword(token, "all")) return () => true;
  return nameTest(token, ({ user }) => user);
}

function nameTest(token: Token, nameOf: (caller: Caller) => string): Test {
  const regex = regexOf(token);
  if (regex === undefined) return (caller) => nameOf(caller) === token.text;
  const isMatch = compileRegex(regex) ?? (() => false);
  return (caller) => isMatch(nameOf(caller));
}
