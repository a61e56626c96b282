import { describe, expect, test } from "vitest";
import type {
  ConnectionAttempt,
  ServerEnvironment,
} from "../../../../../model/pg-hba/rule/connection-attempt";
import { whoCan } from "../../../../../model/pg-hba/rule/evaluate";
import { parsePgHba } from "../../../../../model/pg-hba/text/parse";

const socket: ConnectionAttempt = { user: "ada", database: "db" };
const network: ConnectionAttempt = { ...socket, address: "10.0.0.7" };

/** The number of the line that decides, from 1, or 0 where none does. */
function line(text: string, connection: ConnectionAttempt, server?: ServerEnvironment): number {
  const decision = whoCan(parsePgHba(text).rules, connection, server);
  return decision.decision === "rule" ? decision.index + 1 : 0;
}

const isFor = (rule: string, connection: ConnectionAttempt, server?: ServerEnvironment): boolean =>
  line(rule, connection, server) === 1;

describe("the rule that decides", () => {
  const { rules } = parsePgHba("local db ada reject\nlocal all all ident\nhost all all all md5\n");

  test("is the first that is for the connection", () => {
    expect(whoCan(rules, socket)).toEqual({
      decision: "rule",
      rule: rules[0],
      index: 0,
      method: "reject",
    });
    expect(whoCan(rules, network).method).toBe("md5");
  });

  test("asks for peer where it says ident on the socket", () => {
    expect(whoCan(rules, { ...socket, user: "bob" }).method).toBe("peer");
  });

  test("is none where no rule is for the connection", () => {
    expect(whoCan([], socket)).toEqual({ decision: "implicit reject", method: "reject" });
  });
});

describe("the type", () => {
  const ways = {
    socket,
    plain: network,
    tls: { ...network, tls: true },
    gss: { ...network, gss: true },
  };

  test.each([
    ["local", "db ada peer", ["socket"]],
    ["host", "db ada all md5", ["plain", "tls", "gss"]],
    ["hostssl", "db ada all md5", ["tls"]],
    ["hostnossl", "db ada all md5", ["plain", "gss"]],
    ["hostgssenc", "db ada all md5", ["gss"]],
    ["hostnogssenc", "db ada all md5", ["plain", "tls"]],
  ])("%s is for its ways to come in", (type, rest, expected) => {
    const found = Object.entries(ways).filter(([, way]) => isFor(`${type} ${rest}`, way));
    expect(found.map(([name]) => name)).toEqual(expected);
  });
});

describe("the database", () => {
  test.each<readonly [string, Partial<ConnectionAttempt>, boolean]>([
    ["all", {}, true],
    ["db", {}, true],
    ["DB", {}, false],
    ["x,db", {}, true],
    ['"all"', {}, false],
    ['"all"', { database: "all" }, true],
    ["sameuser", {}, false],
    ["sameuser", { database: "ada" }, true],
    ['"sameuser"', { database: "ada" }, false],
    ["samerole", { roles: ["db"] }, true],
    ["samegroup", { roles: ["db"] }, true],
    ["samerole", {}, false],
    // A role is a member of itself.
    ["samerole", { database: "ada" }, true],
    ["/^d", {}, true],
    ["/^b", {}, false],
    ['"/^d"', {}, true],
    ["replication", {}, false],
    ["replication", { database: "replication" }, false],
    ['"replication"', { database: "replication" }, true],
    ["replication", { replication: true }, true],
    ["all", { replication: true }, false],
    ["db", { replication: true }, false],
    ["/.*", { replication: true }, false],
    ['"replication"', { replication: true }, false],
    ["all,replication", { replication: true }, true],
    ["@names", {}, false],
  ])("%s, asked with %j: %s", (databases, change, matches) => {
    const rule = { type: "local", databases: databases.split(","), users: ["all"] } as const;
    const { decision } = whoCan([{ ...rule, method: "peer" }], { ...socket, ...change });
    expect(decision === "rule").toBe(matches);
  });
});

describe("the user", () => {
  test.each<readonly [string, Partial<ConnectionAttempt>, boolean]>([
    ["all", {}, true],
    ["ada", {}, true],
    ["Ada", {}, false],
    ['"all"', {}, false],
    ['"all"', { user: "all" }, true],
    ["bob,ada", {}, true],
    ["+staff", {}, false],
    ["+staff", { roles: ["staff"] }, true],
    ['"+staff"', { roles: ["staff"] }, false],
    ['"+staff"', { user: "+staff" }, true],
    ["+ada", {}, true],
    ['+"my role"', { roles: ["my role"] }, true],
    ["+owners", {}, true],
    ["+all", {}, false],
    ["/^a", {}, true],
    ["/da$", {}, true],
    ["/^d", {}, false],
    ["/^(a|b)da$", {}, true],
    ["sameuser", {}, false],
    ["sameuser", { user: "sameuser" }, true],
  ])("%s, asked with %j: %s", (users, change, matches) => {
    const memberships = { ada: ["people"], people: ["owners"], owners: ["people"] };
    expect(isFor(`local all ${users} peer`, { ...socket, ...change }, { memberships })).toBe(
      matches,
    );
  });
});

describe("the address", () => {
  const server: ServerEnvironment = {
    interfaces: ["127.0.0.1/8", "172.18.0.2/16", "fd00::2/64"],
    hostNames: { "10.0.0.7": "App.corp.example", "fd00::7": "six.corp.example" },
  };

  test.each([
    ["10.0.0.0/24", "10.0.0.7", true],
    ["10.0.0.0/24", "10.0.1.7", false],
    ["10.0.0.99/24", "10.0.0.7", true],
    ["10.0.0.7/32", "10.0.0.7", true],
    ["10.0.0.6/31", "10.0.0.7", true],
    ["10.0.0.8/31", "10.0.0.7", false],
    ["10.0.0.0 255.255.255.0", "10.0.0.7", true],
    ["10.0.0.7 255.0.0.255", "10.99.99.7", true],
    ["10.0.0.7 255.0.0.255", "10.99.99.8", false],
    ["0.0.0.0/0", "203.0.113.1", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "203.0.113.1", false],
    ["::/0", "2001:db8::1", true],
    ["2001:db8::/32", "2001:DB8:0::1", true],
    ["2001:db8:: ffff:ffff::", "2001:db8::1", true],
    ["::ffff:10.0.0.0/104", "10.0.0.7", false],
    ["10.0.0.0/8", "::ffff:10.0.0.7", false],
    ["all", "203.0.113.1", true],
    ["all", "2001:db8::1", true],
    ["samehost", "172.18.0.2", true],
    ["samehost", "127.0.0.1", true],
    ["samehost", "172.18.0.3", false],
    ["samehost", "127.0.0.2", false],
    ["samenet", "172.18.0.3", true],
    ["samenet", "127.0.0.2", true],
    ["samenet", "fd00::99", true],
    ["samenet", "172.19.0.3", false],
    ["samenet", "fd00:1::99", false],
    ["app.corp.example", "10.0.0.7", true],
    ["APP.CORP.EXAMPLE", "10.0.0.7", true],
    [".corp.example", "10.0.0.7", true],
    ["corp.example", "10.0.0.7", false],
    [".example", "fd00:0::7", true],
    [".app.corp.example", "10.0.0.7", false],
    ["app.corp.example", "10.0.0.8", false],
    ['"all"', "10.0.0.7", false],
    ['"samenet"', "172.18.0.3", false],
    // Where only the place is known.
    ["samenet", "samenet", true],
    ["samenet", "samehost", true],
    ["samehost", "samenet", false],
    ["all", "samenet", true],
    ["0.0.0.0/0", "samenet", true],
    ["::/0", "samenet", false],
    ["172.18.0.0/16", "samenet", false],
    [".corp.example", "app.corp.example", true],
    ["all", "app.corp.example", true],
  ])("%s lets %s in: %s", (address, from, matches) => {
    const connection = { ...network, address: from };
    expect(isFor(`host all all ${address} md5`, connection, server)).toBe(matches);
  });

  test("of a server that is not known is in none of its networks", () => {
    expect(isFor("host all all samenet md5", network)).toBe(false);
    expect(isFor("host all all .corp.example md5", network)).toBe(false);
  });
});

test("a rule with a mistake in it lets nobody in", () => {
  const rule = { type: "host", databases: ["all"], users: ["all"], method: "trust" } as const;
  expect(whoCan([rule, { ...rule, address: "10.0.0.7" }], network).method).toBe("reject");
  const regex = { ...rule, address: "all", users: ["/("] };
  expect(whoCan([regex], network).method).toBe("reject");
});
