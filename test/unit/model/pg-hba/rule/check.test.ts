import { describe, expect, test } from "vitest";
import { checkRule } from "../../../../../model/pg-hba/rule/check";
import { findingsOf } from "../../../../../model/pg-hba/judge/findings";
import { parsePgHba } from "../../../../../model/pg-hba/text/parse";
import { formatProblem } from "../../../../../model/pg-hba/rule/problem";
import { renderPgHba, renderPgHbaFile } from "../../../../../model/pg-hba/text/render";
import type { PgHbaRule } from "../../../../../model/pg-hba/rule/rule";
import { atMost, second } from "../../../../support/time/limit.mjs";

/** What PostgreSQL refuses a line for, or `undefined`. */
function errorOf(line: string, version = 17): string | undefined {
  const errors = parsePgHba(line, { version }).problems.filter(
    ({ severity }) => severity === "error",
  );
  expect(errors.length).toBeLessThanOrEqual(1);
  return errors[0]?.text;
}

function warningsOf(line: string, version = 17): readonly string[] {
  const { problems, rules } = parsePgHba(line, { version });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(rules).not.toEqual([]);
  return problems.map(({ text }) => text);
}

describe("a line that PostgreSQL refuses", () => {
  test.each([
    ["hots all all 10.0.0.0/8 md5", '"hots" is not a connection type; did you mean host?'],
    [
      "tcp all all 10.0.0.0/8 md5",
      '"tcp" is not a connection type; use one of local, host, hostssl, hostnossl, hostgssenc, hostnogssenc',
    ],
    [
      "host,local all all 10.0.0.0/8 md5",
      "has several values for the connection type: host,local; write one rule for each",
    ],
    ["host", "has no database; write all or a name after the type"],
    ["host all", "has no user; write all or a name after the database"],
    ["host all all", "has no address; write a network like 10.20.0.0/24, samenet or all"],
    ["host all all md5", "has no address; write a network like 10.20.0.0/24, samenet or all"],
    [
      "host all all ident map=a",
      "has no address; write a network like 10.20.0.0/24, samenet or all",
    ],
    [
      "host all all 10.0.0.1 md5",
      "10.0.0.1 has no mask; write 10.0.0.1/32 for this single address, or its network",
    ],
    [
      "host all all ::1 md5",
      "::1 has no mask; write ::1/128 for this single address, or its network",
    ],
    [
      "host all all 10.0.0.0/8,172.16.0.0/12 md5",
      "has several values for the address: 10.0.0.0/8,172.16.0.0/12; write one rule for each",
    ],
    ["host all all 10.0.0.0/33 md5", 'prefix length "33" of 10.0.0.0/33 is invalid; write 0 to 32'],
    ["host all all ::/129 md5", 'prefix length "129" of ::/129 is invalid; write 0 to 128'],
    ["host all all 10.0.0.0/ md5", 'prefix length "" of 10.0.0.0/ is invalid; write 0 to 32'],
    [
      "host all all 10.0.0.256/24 md5",
      "10.0.0.256 in 10.0.0.256/24 is not an IP address; write four numbers from 0 to 255, or an IPv6 address",
    ],
    [
      "host all all fd00:: 255.0.0.0 md5",
      "fd00:: is IPv6, its mask 255.0.0.0 is IPv4; write fd00::/<prefix length>",
    ],
    [
      "host all all 10.0.0.0 ffff:: md5",
      "10.0.0.0 is IPv4, its mask ffff:: is IPv6; write 10.0.0.0/<prefix length>",
    ],
    [
      "host all all 10.0.0.0 full md5",
      'mask "full" of 10.0.0.0 is not a mask; write it like 255.255.255.0, or 10.0.0.0/24',
    ],
    [
      "host all all 10.0.0.0/8 255.0.0.0 md5",
      "10.0.0.0/8 has an additional mask 255.0.0.0; leave the mask out",
    ],
    [
      "host all all db.example 255.0.0.0 md5",
      "host name db.example has the mask 255.0.0.0; leave the mask out",
    ],
    ["host all all db.example/24 md5", "host name db.example has the mask /24; leave the mask out"],
    [
      "host all all samenet 255.0.0.0 md5",
      "samenet has an additional mask 255.0.0.0; leave the mask out",
    ],
    [
      "local all all 127.0.0.1/32 trust",
      "local rules have no address, got 127.0.0.1/32; leave it out, or write host",
    ],
    ["host all all 10.0.0.0/8", "has no method; write scram-sha-256"],
    ["host all all 10.0.0.0 255.0.0.0", "has no method; write scram-sha-256"],
    ["host all all 10.0.0.0/8 scram", '"scram" is not a method; did you mean scram-sha-256?'],
    ["host all all 10.0.0.0/8 tru5t", '"tru5t" is not a method; did you mean trust?'],
    [
      "host all all 10.0.0.0/8 map=a",
      "has the option map=a but no method; write the method before the option",
    ],
    [
      "host all all 10.0.0.0/8 md5,trust",
      "has several values for the method: md5,trust; write one rule for each",
    ],
    ["host all all 10.0.0.0/8 peer", "peer is for local rules only, not host; use scram-sha-256"],
    ["local all all gss", "gss is for host rules only, not local; use peer"],
    ["host all all 10.0.0.0/8 cert", "cert is for hostssl rules only, not host; write hostssl"],
    [
      "local all all oauth issuer=a scope=b",
      "oauth needs PostgreSQL 18, this is 17; use another method",
    ],
    ["host all all all sspi", "sspi works with PostgreSQL on Windows only; use scram-sha-256"],
    ["local all all bsd", "bsd works with PostgreSQL on OpenBSD only; use scram-sha-256"],
    [
      "host all all ::1%eth0/128 md5",
      "::1%eth0/128 has a network interface, which PostgreSQL ignores; leave %eth0 out",
    ],
    [
      "local all all ldap ldapurl=http://ldap.example/dc=example",
      'ldapurl must begin with ldap:// or ldaps://, got "http://ldap.example/dc=example"',
    ],
    [
      'local all all radius radiusservers="" radiussecrets=a',
      "radius needs the option radiusservers; add radiusservers=…",
    ],
    [
      "local all all radius radiusservers=a radiussecrets=a radiusports=x",
      'radiusports must be a list of ports, got "x"',
    ],
    ["local all all peer map", 'option "map" has no value; write name=value'],
    ["local all all peer mpa=a", '"mpa" is not an option; did you mean map?'],
    [
      "local all all md5 map=a",
      "option map=a is for ident, peer, gss, sspi, cert, oauth, not md5; leave it out",
    ],
    [
      "host all all all md5 clientcert=verify-ca",
      "clientcert=verify-ca is for hostssl rules only, not host; write hostssl",
    ],
    [
      "hostssl all all all md5 clientcert=1",
      'clientcert must be verify-ca or verify-full, got "1"',
    ],
    [
      "hostssl all all all cert clientcert=verify-ca",
      "clientcert=verify-ca is weaker than the method cert; leave it out",
    ],
    [
      "local all all ldap",
      "ldap needs one of ldapbasedn, ldapprefix, ldapsuffix, ldapurl; add one",
    ],
    [
      "local all all ldap ldapprefix=a ldapbasedn=b",
      "ldapprefix and ldapbasedn exclude each other; bind directly or search, not both",
    ],
    [
      "local all all ldap ldapbasedn=a ldapsearchattribute=b ldapsearchfilter=c",
      "ldapsearchattribute and ldapsearchfilter exclude each other; keep one",
    ],
    ["local all all ldap ldapbasedn=a ldapport=x", 'ldapport must be a port, got "x"'],
    [
      "local all all radius radiusservers=a",
      "radius needs the option radiussecrets; add radiussecrets=…",
    ],
    [
      'local all all radius radiusservers="a,b,c" radiussecrets=x radiusports="1,2"',
      "radiusports has 2 values for 3 servers; write one value, or one per server",
    ],
    ["local all /( peer", "/( is not a supported regular expression; correct or simplify it"],
    ["include more.conf", "file more.conf does not exist; create it, or write its contents here"],
  ])("%s: %s", (line, problem) => {
    expect(errorOf(line)).toBe(problem);
  });

  test("with oauth lacks what oauth needs", () => {
    expect(errorOf("local all all oauth scope=a", 18)).toBe(
      "oauth needs the option issuer; add issuer=…",
    );
    expect(errorOf("local all all oauth issuer=a scope=b map=c delegate_ident_mapping=1", 18)).toBe(
      "map and delegate_ident_mapping=1 exclude each other; keep one",
    );
  });

  test("does not show its secrets", () => {
    const lines = [
      'host all all all ldap ldapbindpasswd="top secret" ldapport=x',
      'host all all all ldap "ldapbindpasswd=top secret" ldapport=x',
      "host all all all radius radiussecrets=top,secret",
      "host all all all md5 radiussecrets=secret",
    ];
    const { problems } = parsePgHba(lines.join("\n"));
    expect(problems.map(formatProblem)).toEqual([
      'pg_hba.conf:1  host all all all ldap ldapbindpasswd=…: ldapport must be a port, got "x"',
      'pg_hba.conf:2  host all all all ldap ldapbindpasswd=…: ldapport must be a port, got "x"',
      "pg_hba.conf:3  host all all all radius radiussecrets=…: the value of radiussecrets contains a comma or a blank; put it in quotes",
      "pg_hba.conf:4  host all all all md5 radiussecrets=…: option radiussecrets is for radius, not md5; leave it out",
    ]);
  });
});

describe("a line that PostgreSQL takes, but not as it was meant", () => {
  test.each([
    [
      "host all all 10.1.2.3/24 md5",
      "10.1.2.3/24 has host bits, which PostgreSQL ignores; write 10.1.2.0/24 for the network or 10.1.2.3/32 for the single address",
    ],
    [
      "host all all fd00::1/64 md5",
      "fd00::1/64 has host bits, which PostgreSQL ignores; write fd00::/64 for the network or fd00::1/128 for the single address",
    ],
    ["host all all 10.0.0.0 0.0.0.255 md5", "mask 0.0.0.255 is inverted; write 10.0.0.0/24"],
    [
      "host all all 10.0.0.0 255.0.255.0 md5",
      "mask 255.0.255.0 has gaps; write the network as address/length",
    ],
    [
      "host all all 10.0.0.256 md5",
      "10.0.0.256 is not an IP address, so PostgreSQL takes it for a host name; correct it",
    ],
    ['local "" all peer', "has an empty database; write all or a name"],
    ["host , all all samenet md5", "has a blank before a comma; remove the blank"],
    ['local all "ada peer\nlocal all all peer', "has an unclosed quote; close it"],
  ])("%s: %s", (line, problem) => {
    const { problems } = parsePgHba(line);
    expect(problems[0]).toMatchObject({ severity: "warning", text: problem });
  });

  test("an expression is a name up to PostgreSQL 15", () => {
    expect(warningsOf("local all /a peer", 15)).toEqual([
      "/a is a literal name in PostgreSQL 15; regular expressions need 16",
    ]);
  });

  test("a rule that stands twice is told with both lines, whatever its quotes and blanks", () => {
    const text = 'local db all peer\n\n# again\nlocal  "db"  all  peer\n';
    expect(parsePgHba(text).problems.map(formatProblem)).toEqual([
      "pg_hba.conf:4  local db all peer: is the same as line 1; remove one of them",
    ]);
  });
});

test("a file without a rule is refused", () => {
  expect(parsePgHba("# nothing\n").problems.map(formatProblem)).toEqual([
    "pg_hba.conf:1  has no rule, so nobody could connect; add one",
  ]);
});

test("rules that were made in code are checked alike", () => {
  const rule: PgHbaRule = { type: "local", databases: [], users: ["a b"], method: "peer" };
  expect(checkRule(rule).map(({ text }) => text)).toEqual([
    "has no database; write all or a name",
    'user "a b" is more than one word; put it in quotes',
  ]);
  const foreign = { ...rule, databases: ["all"], users: ["all"], method: "scram" } as unknown;
  expect(checkRule(foreign as PgHbaRule).map(({ text }) => text)).toEqual([
    '"scram" is not a method; did you mean scram-sha-256?',
  ]);
  expect(() => renderPgHba([{ ...rule, users: ["a\nb"] }])).toThrow(
    '"a\\nb" is not a single word of pg_hba.conf; put it in quotes',
  );
});

describe("10,000 lines", () => {
  const network = (at: number): string => `10.${at >> 8}.${at & 255}.0`;
  const file = (line: (at: number) => string): string =>
    Array.from({ length: 10_000 }, (_, at) => `${line(at)}\n`).join("");
  const words = (letter: string, at: number): string =>
    Array.from({ length: 20 }, (_, n) => `${letter}${at}_${n}`).join();

  /** Processor time in milliseconds, because other work on the machine makes the clock run on; again when that was too much. */
  function processorTime(work: () => void): number {
    let best = Infinity;
    for (let tries = 0; tries < 3 && best >= 1000; tries++) {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / 1000);
    }
    return best;
  }

  test.each<[string, (at: number) => string, boolean]>([
    ["of a person each", (at) => `hostssl db${at % 50} u${at} ${network(at)}/24 cert`, true],
    ["for the same person", (at) => `hostssl db ada ${network(at)}/24 cert`, true],
    ["of lists", (at) => `hostssl a${at},b${at},c,d u${at},v,w ${network(at)}/24 cert`, true],
    [
      "of networks within others",
      (at) => `hostssl db u ${network(at)}/${16 + (at % 9)} cert`,
      false,
    ],
    ["that are all the same", () => "hostssl all all samenet cert", false],
    [
      "behind regular expressions",
      (at) => `hostssl db ${at < 100 ? `/^u${at}_` : `u${at}`} ${network(at)}/24 cert`,
      true,
    ],
    ["with a mistake each", (at) => `hostt db u${at} ${network(at)}/40 scrum`, false],
  ])("%s are read and judged in a second", (_, line, isFine) => {
    const text = file(line);
    let findings = 0;
    const milliseconds = processorTime(() => {
      const { rules, problems } = parsePgHba(text);
      findings = problems.length + findingsOf(rules, { kind: "production" }).length;
    });
    expect(findings === 0).toBe(isFine);
    expect(milliseconds).toBeLessThan(atMost(1 * second));
  });

  test("come back as they were, and as rules", () => {
    const text = file((at) => `hostssl db${at % 50} u${at} ${network(at)}/24 cert`);
    const { rules, file: read } = parsePgHba(text);
    expect(renderPgHbaFile(read)).toBe(text);
    expect(parsePgHba(renderPgHba(rules)).rules).toHaveLength(10_000);
  });

  test("with lists of 20 databases and 20 users cost no endless time", () => {
    const lists = (at: number): string =>
      `hostssl ${words("a", at)} ${words("u", at)} ${network(at)}/24 cert`;
    const { rules } = parsePgHba(file(lists));
    expect(findingsOf(rules, { kind: "production" })).toEqual([]);
  });
});
