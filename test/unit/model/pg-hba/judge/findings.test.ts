import { describe, expect, test } from "vitest";
import { findingsOf, formatFinding } from "../../../../../model/pg-hba/judge/findings";
import { type FindingContext } from "../../../../../model/pg-hba/judge/finding";
import { parsePgHba } from "../../../../../model/pg-hba/text/parse";
import { presets } from "../../../../../model/pg-hba/rule/presets";
import { serverKinds } from "../../../../../model/base/names";

/** What is found, each with its severity. */
function found(lines: readonly string[], about: Partial<FindingContext> = {}): readonly string[] {
  const { rules, problems } = parsePgHba(lines.join("\n"));
  expect(problems).toEqual([]);
  return findingsOf(rules, { kind: "production", ...about }).map(
    (finding) => `${finding.severity}: ${formatFinding(finding)}`,
  );
}

describe("a rule that is never used", () => {
  const never = "move it up or leave it out";

  test("is told with the rule that is in its way", () => {
    expect(found(["local all all peer", "local db ada md5"])).toEqual([
      'warning: local db ada md5: never used, because "local all all peer" before it matches all its connections; ' +
        never,
      "warning: local db ada md5: md5 is insecure and deprecated in PostgreSQL; use scram-sha-256",
    ]);
  });

  test.each([
    [["hostssl db ada 10.0.0.0/8 cert"], "hostssl db ada 10.1.0.0/16 cert"],
    [["host db ada 10.0.0.0/8 gss"], "hostssl db ada 10.1.0.0 255.255.0.0 gss"],
    [["host db /^a 10.0.0.0/8 gss"], "host db ada 10.0.0.1/32 gss"],
    [["host db +ada 10.0.0.0/8 gss"], "host db ada 10.0.0.1/32 gss"],
    [["host /^d,x all samenet gss"], "host db,x ada samehost gss"],
    [["host db ada .corp.example gss", "host x ada all gss"], "host db,x ada .corp.example gss"],
    [["hostssl db ada all gss", "hostnossl db ada all gss"], "host db ada samenet gss"],
    [
      ["host db ada 10.0.0.0/25 gss", "host db ada 10.0.0.128/25 gss"],
      "host db ada 10.0.0.0/24 gss",
    ],
    [["host a all samenet gss", "host b all samenet gss"], "host a,b ada samenet gss"],
    [["host a x,y samenet gss", "host all z samenet gss"], "host a z,y samenet gss"],
    [["hostssl db ada 0.0.0.0/0 cert", "hostssl db ada ::/0 cert"], "hostssl db ada all cert"],
    [["local sameuser all peer"], "local sameuser ada peer"],
    [["local replication all peer"], "local replication ada peer"],
  ])("is found behind %j", (before, rule) => {
    const own = found([...before, rule], { kind: "development" });
    expect(own.filter((text) => text.includes(": never used, because "))).toHaveLength(1);
  });

  test.each([
    [["hostssl db ada 10.0.0.0/8 cert"], "host db ada 10.1.0.0/16 gss"],
    [["host db ada 10.0.0.0/25 gss"], "host db ada 10.0.0.0/24 gss"],
    [
      ["host db ada 10.0.0.0/25 gss", "host db bob 10.0.0.128/25 gss"],
      "host db ada 10.0.0.0/24 gss",
    ],
    [["host db ada 0.0.0.0/0 gss"], "host db ada all gss"],
    [["local all all peer"], "local replication all peer"],
    [["local +ada all peer"], "local ada all peer"],
    [['local "all" all peer'], "local db all peer"],
    [["local all +staff peer"], "local all ada peer"],
    [["local all ada peer"], "local all +ada peer"],
    [["local db,x ada peer"], "local all ada peer"],
    [["local sameuser all peer"], "local ada ada peer"],
    [["host db ada samehost gss"], "host db ada samenet gss"],
    [["host db ada 10.0.0.0/8 gss"], "host db ada samenet gss"],
    [["host db ada 10.0.0.0 255.0.255.0 gss"], "host db ada 10.0.0.0/24 ldap ldapprefix=a"],
  ])("is not found behind %j: %s", (before, rule) => {
    const { rules } = parsePgHba([...before, rule].join("\n"));
    expect(rules).toHaveLength(before.length + 1);
    const kinds = findingsOf(rules, { kind: "development" }).map(({ kind }) => kind);
    expect(kinds).not.toContain("shadowed");
  });

  test("is an error on production when it should have rejected", () => {
    const lines = ["hostssl all all 10.0.0.0/8 cert", "hostssl all bob 10.0.0.5/32 reject"];
    expect(found(lines)).toEqual([
      `error: hostssl all bob 10.0.0.5/32 reject: never used, because "hostssl all all 10.0.0.0/8 cert" before it matches all its connections; ${never}`,
    ]);
    expect(found(lines, { kind: "staging" })[0]).toMatch(/^warning: /);
  });
});

describe("a rule that is wider than its neighbour", () => {
  test("allows without TLS what the other wants with TLS", () => {
    expect(found(["hostssl db ada 10.0.0.0/24 gss", "host db ada 10.0.0.0/16 gss"])).toEqual([
      'warning: host db ada 10.0.0.0/16 gss: allows without TLS what "hostssl db ada 10.0.0.0/24 gss" before it allows only with TLS; make both equally strict, or remove the wider one',
    ]);
  });

  test("asks a wider network for less", () => {
    const lines = ["hostssl db ada samehost scram-sha-256", "hostssl db ada samenet md5"];
    expect(found(lines)).toContain(
      'warning: hostssl db ada samenet md5: allows a weaker method (md5) for a wider network than "hostssl db ada samehost scram-sha-256" before it; make both equally strict, or remove the wider one',
    );
  });

  test.each([
    [["hostssl db ada 10.0.0.0/24 gss", "host db bob 10.0.0.0/16 gss"]],
    [["hostssl db ada 10.0.0.0/24 gss", "host db ada 10.9.0.0/16 gss"]],
    [["host db ada 10.0.0.0/24 ident", "host db ada 10.0.0.0/16 gss"]],
  ])("is not %j", (lines) => {
    expect(found(lines)).toEqual([]);
  });
});

describe("a weak method", () => {
  const trust = "host db ada 10.0.0.0/24 trust";

  test.each([
    [
      "production",
      `error: ${trust}: a production server must not trust a network; use scram-sha-256 with hostssl`,
    ],
    [
      "staging",
      `warning: ${trust}: a staging server must not trust a network; use scram-sha-256 with hostssl`,
    ],
    ["development", undefined],
  ] as const)("over the network on %s: %s", (kind, text) => {
    expect(found([trust], { kind })).toEqual(text === undefined ? [] : [text]);
  });

  test.each([
    [
      "local all all trust",
      "warning: local all all trust: trust does not authenticate local users; use peer or scram-sha-256",
    ],
    [
      "host db ada samenet password",
      "error: host db ada samenet password: password sends the password in clear text over the network; use scram-sha-256 with hostssl",
    ],
    [
      "hostssl db ada samenet password",
      "warning: hostssl db ada samenet password: password sends the password itself to the server; use scram-sha-256",
    ],
    [
      "hostssl db ada samenet md5",
      "warning: hostssl db ada samenet md5: md5 is insecure and deprecated in PostgreSQL; use scram-sha-256",
    ],
  ])("%s", (line, text) => {
    expect(found([line])).toEqual([text]);
  });
});

describe("an address of the whole world", () => {
  const fix = "write the network that connections come from, such as 10.20.0.0/24 or samenet";

  test.each([
    [
      "host db ada all scram-sha-256",
      "error: host db ada all scram-sha-256: all allows attempts from every address",
    ],
    [
      "host db ada ::/0 gss",
      "error: host db ada ::/0 gss: ::/0 allows attempts from every address",
    ],
    [
      "hostssl db ada 0.0.0.0 0.0.0.0 cert",
      "warning: hostssl db ada 0.0.0.0 0.0.0.0 cert: 0.0.0.0 allows attempts from every address",
    ],
  ])("%s", (line, text) => {
    expect(found([line])).toEqual([`${text}; ${fix}`]);
  });

  test("may be rejected", () => {
    expect(found(["host all all all reject"])).toEqual([]);
  });
});

describe("a connection that must work", () => {
  const rules = ["local all postgres peer", "hostssl db db 10.0.0.0/24 scram-sha-256"];
  const application = {
    name: "application",
    user: "db",
    database: "db",
    address: "10.0.0.7",
    tls: true,
  };

  test("is let in", () => {
    const agent = {
      name: "agent",
      user: "postgres",
      database: "postgres",
      methods: ["peer"],
    } as const;
    expect(found(rules, { required: [agent, application] })).toEqual([]);
  });

  test("is locked out without a rule for it", () => {
    const plain = { ...application, tls: false };
    const monitoring = { name: "monitoring", user: "all", database: "db", address: "samenet" };
    expect(found(rules, { required: [plain, monitoring] })).toEqual([
      'error: application (db to db from 10.0.0.7) is locked out: no rule matches; add "host db db 10.0.0.7/32 scram-sha-256"',
      'error: monitoring (all to db from samenet) is locked out: no rule matches; add "host db "all" samenet scram-sha-256"',
    ]);
  });

  test("is locked out by a rule that rejects it", () => {
    const rejecting = ["host db all 10.0.0.0/28 reject", ...rules];
    expect(found(rejecting, { required: [application] })).toEqual([
      'error: host db all 10.0.0.0/28 reject: application (db to db from 10.0.0.7 with TLS) is locked out by this rule; add "hostssl db db 10.0.0.7/32 scram-sha-256" before it',
    ]);
  });

  test("is asked for what it has not", () => {
    const required = [{ ...application, methods: ["scram-sha-256", "md5"] as const }];
    expect(found(["hostssl all all 10.0.0.7/32 cert", ...rules], { required })).toEqual([
      'error: hostssl all all 10.0.0.7/32 cert: application (db to db from 10.0.0.7 with TLS) has to use cert, but supports scram-sha-256 or md5; add "hostssl db db 10.0.0.7/32 scram-sha-256" before it',
    ]);
  });

  test("of a replica needs a rule for replication, which all is not", () => {
    const replicas = [{ name: "standby", user: "copier", address: "10.0.0.9", tls: true }];
    const all = ["hostssl all all 10.0.0.0/24 scram-sha-256"];
    expect(found(all, { replicas })).toEqual([
      'error: replica standby (copier for replication from 10.0.0.9 with TLS) is locked out: no rule matches; add "hostssl replication copier 10.0.0.9/32 scram-sha-256"',
    ]);
    expect(
      found([...all, "hostssl replication copier 10.0.0.9/32 scram-sha-256"], { replicas }),
    ).toEqual([]);
  });
});

test("a rule that PostgreSQL refuses is an error, whoever made it", () => {
  const rule = {
    type: "host",
    databases: ["all"],
    users: ["all"],
    address: "db.example",
    mask: "255.0.0.0",
    method: "gss",
  } as const;
  const [finding] = findingsOf([rule], { kind: "development" });
  expect(finding).toEqual({
    kind: "invalid",
    severity: "error",
    rule,
    index: 0,
    reason: "host name db.example has the mask 255.0.0.0",
    fix: "leave the mask out",
  });
});

test("the secrets of a rule are not shown", () => {
  const line = "host db ada all ldap ldapbasedn=a ldapbindpasswd=secret ldaptls=1";
  expect(found([line, line.replace("ldaptls", "ldapport")]).join("\n")).not.toMatch(/secret/);
});

test.each(serverKinds)("nothing is to be said about the preset of %s", (kind) => {
  for (const application of ["10.20.0.0/24", undefined]) {
    const args = { database: "time sheets", ...(application === undefined ? {} : { application }) };
    expect(findingsOf(presets[kind](args), { kind })).toEqual([]);
  }
});

describe("a rejection", () => {
  const decidesNothing = (lines: readonly string[]): readonly string[] =>
    found(lines).filter((text) => text.includes(": decides nothing: "));

  test("behind what lets the same connections in is told to decide nothing", () => {
    const before = "hostssl shop shop,shop_readonly samenet scram-sha-256";
    expect(found([before, "host shop shop_readonly samenet reject"])).toEqual([
      `warning: host shop shop_readonly samenet reject: decides nothing: "${before}" before it lets in the connections that it names, and the others are rejected without it, too; move it before "${before}" (firstRules), or leave it out`,
    ]);
    expect(found([before, "hostnossl shop shop_readonly samenet reject"])).toEqual([
      `warning: hostnossl shop shop_readonly samenet reject: decides nothing: without it, connections of its type are rejected, too, and "${before}" before it lets in the others; leave it out; to reject those as well, write host and move it before "${before}" (firstRules)`,
    ]);
  });

  test.each([
    [["hostssl all all 10.0.0.0/8 scram-sha-256", "host shop ada 10.1.0.0/16 reject"]],
    [["hostssl all /^a 10.0.0.0/8 scram-sha-256", "host shop ada 10.1.0.0/16 reject"]],
    [["hostssl shop ada samenet scram-sha-256", "host shop ada samehost reject"]],
    [
      [
        "hostssl shop ada 10.0.0.0/9 scram-sha-256",
        "hostssl shop all 10.128.0.0/9 scram-sha-256",
        "host shop ada 10.0.0.0/8 reject",
      ],
    ],
    [
      [
        "hostssl shop ada 10.0.0.0/8 scram-sha-256",
        "host shop ada 10.0.0.0/8 reject",
        "hostssl shop bob 10.0.0.0/8 scram-sha-256",
      ],
    ],
  ])("is told in %j", (lines) => {
    expect(decidesNothing(lines)).toHaveLength(1);
  });

  test.each([
    // It decides: without it a later rule lets in.
    [
      [
        "hostssl shop ada 10.1.0.0/16 scram-sha-256",
        "host shop ada 10.0.0.0/8 reject",
        "hostssl all all 10.0.0.0/8 scram-sha-256",
      ],
    ],
    [["host shop ada 10.0.0.0/8 reject", "hostssl shop ada 10.0.0.0/8 scram-sha-256"]],
    // Nothing before it lets anybody in whom it names.
    [["hostssl shop ada 10.0.0.0/8 scram-sha-256", "host shop bob 10.0.0.0/8 reject"]],
    [["hostssl shop ada 10.0.0.0/8 scram-sha-256", "host shop ada 192.168.0.0/16 reject"]],
    [["local all postgres peer", "host all postgres all reject"]],
    // That depends on what is not known here.
    [["hostssl shop +staff 10.0.0.0/8 scram-sha-256", "host shop bob 10.0.0.0/8 reject"]],
    [["hostssl shop ada samenet scram-sha-256", "host shop ada 10.0.0.0/8 reject"]],
    // One network, and nothing else.
    [["hostssl shop ada 10.1.0.0/16 scram-sha-256", "host all ada 10.0.0.0/8 reject"]],
    [["hostssl shop ada samehost scram-sha-256", "host shop ada all reject"]],
    // The usual end.
    [["hostssl shop ada 10.0.0.0/8 scram-sha-256", "host all all all reject"]],
  ])("is not told in %j", (lines) => {
    expect(decidesNothing(lines)).toEqual([]);
  });

  test.each(serverKinds)("of the preset of %s is not told", (kind) => {
    const rules = presets[kind]({ database: "shop" });
    expect(findingsOf(rules, { kind }).filter(({ kind }) => kind === "pointless")).toEqual([]);
  });
});

describe("a rule that the server lacks something for", () => {
  const provided = { clientCa: false, maps: ["people"] };
  test.each([
    [
      "hostssl shop ada samenet cert",
      "nobody can connect by it, because PostgreSQL has no CA to verify client certificates with; set tls.clientCa to the PEM file of that CA",
    ],
    [
      "hostssl shop ada samenet scram-sha-256 clientcert=verify-ca",
      "nobody can connect by it, because PostgreSQL has no CA to verify client certificates with; set tls.clientCa to the PEM file of that CA",
    ],
    [
      "hostssl shop ada samenet gss map=poeple",
      'nobody can connect by it, because there is no user name map "poeple"; did you mean people?',
    ],
    [
      "local shop ada peer map=os",
      'nobody can connect by it, because there is no user name map "os"; add lines like "os <system user> <role>" to pgHba.maps',
    ],
  ])("%s is an error", (line, text) => {
    expect(found([line], { provided })).toEqual([`error: ${line}: ${text}`]);
    // Of an external server it is not known what it has.
    expect(found([line])).toEqual([]);
  });

  test("is none where the server has it", () => {
    const lines = [
      "hostssl shop ada samenet cert map=people",
      "hostssl shop bob samenet scram-sha-256 clientcert=verify-full",
    ];
    expect(found(lines, { provided: { ...provided, clientCa: true } })).toEqual([]);
  });

  test("a name that PostgreSQL must resolve to start is told", () => {
    const line =
      'hostssl shop ada 10.0.0.0/8 radius radiusservers="radius.corp.example,10.0.0.1" radiussecrets=x';
    expect(found([line])).toEqual([
      'warning: hostssl shop ada 10.0.0.0/8 radius radiusservers="radius.corp.example,10.0.0.1" radiussecrets=…: PostgreSQL resolves radius.corp.example whenever it reads the rules, and does not start while that fails; write the IP address',
    ]);
  });
});
