import { inNetwork } from "./address";
import type { ResolvedConnection } from "./connection-attempt";
import { readToken } from "./fields";
import { readSourceAddress, type SourceAddress } from "./source-address";
import { compileRegex } from "./regex";
import type { PgHbaRule } from "./rule";
import { fileOf, groupOf, isKeyword, regexOf, type Token } from "./token";

type Test = (connection: ResolvedConnection) => boolean;

/** The compiled tests of a rule. */
interface Tests {
  readonly address: Test;
  readonly names: Test;
}

const cache = new WeakMap<PgHbaRule, Tests>();

/** Whether a rule matches a connection, as in PostgreSQL's `check_hba`. A rule with an error matches nothing. */
export function matches(rule: PgHbaRule, connection: ResolvedConnection): boolean {
  return (
    matchesType(rule, connection) &&
    testsOf(rule).address(connection) &&
    testsOf(rule).names(connection)
  );
}

/** Whether a rule matches the database and the user of a connection, regardless of its address. */
export function matchesNames(rule: PgHbaRule, connection: ResolvedConnection): boolean {
  return testsOf(rule).names(connection);
}

function testsOf(rule: PgHbaRule): Tests {
  let tests = cache.get(rule);
  if (!tests) {
    const isDatabase = anyOf(rule.databases, databaseTest);
    const isUser = anyOf(rule.users, userTest);
    const names: Test = (connection) => isDatabase(connection) && isUser(connection);
    tests = { address: ruleAddressTest(rule), names };
    cache.set(rule, tests);
  }
  return tests;
}

function ruleAddressTest(rule: PgHbaRule): Test {
  if (rule.type === "local") return () => true;
  const address = readSourceAddress(rule);
  return "severity" in address ? () => false : addressTest(address);
}

function matchesType({ type }: PgHbaRule, { local, tls, gss }: ResolvedConnection): boolean {
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

function addressTest(address: SourceAddress): Test {
  switch (address.kind) {
    case "all":
      return () => true;
    case "samehost":
      return ({ sameHost }) => sameHost;
    case "samenet":
      return ({ sameNet }) => sameNet;
    case "network": {
      const { network } = address;
      // An unknown address is assumed to be IPv4.
      const everything = network.mask.length === 4 && network.mask.every((byte) => byte === 0);
      return ({ ip }) => (ip ? inNetwork(ip, network) : everything);
    }
    case "host":
      return ({ hostName }) => hostName !== undefined && matchesHost(address.name, hostName);
  }
}

/** Compares host names, ignoring case; the pattern `.suffix` matches the end of a name. */
function matchesHost(pattern: string, hostName: string): boolean {
  const [suffix, name] = [lower(pattern), lower(hostName)];
  return suffix.startsWith(".") ? name.endsWith(suffix) : name === suffix;
}

/** PostgreSQL folds ASCII letters only. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function anyOf(words: readonly string[], test: (token: Token) => Test): Test {
  const tests = words.flatMap((word) => {
    const token = readToken(word);
    // An unresolved @file matches nothing.
    return token && fileOf(token) === undefined ? [test(token)] : [];
  });
  return (connection) => tests.some((matchesToken) => matchesToken(connection));
}

function databaseTest(token: Token): Test {
  const isReplication = isKeyword(token, "replication");
  const isDatabase = ordinaryDatabaseTest(token);
  return (connection) => (connection.replication ? isReplication : isDatabase(connection));
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

function nameTest(token: Token, nameOf: (connection: ResolvedConnection) => string): Test {
  const regex = regexOf(token);
  if (regex === undefined) return (connection) => nameOf(connection) === token.text;
  const isMatch = compileRegex(regex) ?? (() => false);
  return (connection) => isMatch(nameOf(connection));
}
