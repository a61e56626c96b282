import { describe, expect, test } from "vitest";
import { findingsOf } from "../../../../model/pg-hba/judge/findings";
import { requiredAccess } from "../../../../model/pg-hba/judge/required-access";
import { areMapsUpToDate, mapNames, renderMaps } from "../../../../model/pg-hba/text/maps";
import { presets } from "../../../../model/pg-hba/rule/presets";
import {
  pgHbaObservationSchema,
  pgHbaRequestSchema,
  pgHbaResultSchema,
} from "../../../../model/pg-hba/rule/protocol";
import { formatRule, renderPgHba } from "../../../../model/pg-hba/text/render";
import {
  pgHbaConfigProblems,
  pgHbaConfigSchema,
  rulesOfServer,
} from "../../../../model/stack-file/pg-hba";
import { serverKinds } from "../../../../model/base/names";
import { problemsOf } from "../../../../model/stack-file/zod-problems";

/** The problems of a section `pgHba`, as the stack file's check tells them. */
function problems(section: unknown): readonly string[] {
  const { error } = pgHbaConfigSchema.safeParse(section, { reportInput: true });
  const known = Object.keys(pgHbaConfigSchema.shape);
  return (error?.issues ?? [])
    .flatMap((issue) => problemsOf(issue, ["pgHba"], known))
    .map(({ path, text }) => `${path}  ${text}`);
}

describe("the section pgHba", () => {
  test("may be empty, or name a network and rules", () => {
    const section = { application: "10.20.0.0/24", rules: ["host all all samenet md5"] };
    expect(pgHbaConfigSchema.parse({})).toEqual({});
    expect(pgHbaConfigSchema.parse(section)).toEqual(section);
    expect(problems({ application: "samenet" })).toEqual([]);
    expect(problems({ application: "fd00:20::/64", rules: [] })).toEqual([]);
  });

  test("is told all that is wrong with it at once", () => {
    expect(
      problems({
        application: "10.20.0.1/24",
        rules: [
          "host all all 10.0.0.0/8 scram",
          "hostssl db ada 192.0.2.0/24 scram-sha-256",
          "host all all 10.1.2.3/24 md5",
          "hostssl  db  ada  192.0.2.0/24  scram-sha-256",
          "",
          "local all all peer\nhost all all all trust",
          "include more.conf",
          'host all all all ldap "ldapbindpasswd=top secret" ldapport=x',
        ],
      }),
    ).toEqual([
      "pgHba.application  10.20.0.1/24 has host bits, which PostgreSQL ignores; write 10.20.0.0/24",
      'pgHba.rules[0]  host all all 10.0.0.0/8 scram: "scram" is not a method; did you mean scram-sha-256?',
      "pgHba.rules[2]  host all all 10.1.2.3/24 md5: 10.1.2.3/24 has host bits, which PostgreSQL ignores; write 10.1.2.0/24 for the network or 10.1.2.3/32 for the single address",
      "pgHba.rules[4]  is empty; write a rule or remove the entry",
      "pgHba.rules[5]  has several lines; write one rule per entry",
      "pgHba.rules[6]  include more.conf: file more.conf does not exist; create it, or write its contents here",
      'pgHba.rules[7]  host all all all ldap ldapbindpasswd=…: ldapport must be a port, got "x"',
      "pgHba.rules[3]  hostssl db ada 192.0.2.0/24 scram-sha-256: is the same as rules[1]; remove one of them",
    ]);
  });

  test.each([
    [
      { application: "office" },
      'pgHba.application  must be a network like 10.20.0.0/24, or samenet for the server\'s own, got "office"',
    ],
    [
      { application: "10.20.0.0" },
      'pgHba.application  must be a network like 10.20.0.0/24, or samenet for the server\'s own, got "10.20.0.0"',
    ],
    [{ rule: [] }, "pgHba.rule  unknown key; did you mean rules?"],
    [{ application: 10 }, "pgHba.application  must be text, got 10; put it in quotes"],
  ])("%j", (section, problem) => {
    expect(problems(section)).toEqual([problem]);
  });

  test("is told what does not go on its kind of server, with the key of the rule", () => {
    const rules = [
      ...["a", "b", "c", "d"].map((user) => `hostssl db ${user} 192.0.2.0/24 scram-sha-256`),
      "host all all 0.0.0.0/0 trust",
    ];
    const settings = pgHbaConfigSchema.parse({ rules });
    expect(pgHbaConfigProblems("production", "db", settings, false)).toEqual([
      {
        path: "pgHba.rules[4]",
        text: "host all all 0.0.0.0/0 trust: a production server must not trust a network; use scram-sha-256 with hostssl",
      },
    ]);
    expect(pgHbaConfigProblems("staging", "db", settings, false)).toEqual([]);
  });
});

describe("user name maps", () => {
  test("are checked line by line", () => {
    const maps = [
      "people ada.lovelace ada",
      '"my map" "/^(.*)@example\\.com$" \\1',
      "people ada.lovelace",
      "people a,b ada",
      "people /^( ada",
      "people ada \\1",
      "people /^ada$ \\1",
      "include more.conf",
      "",
      'people "ada ada',
    ];
    expect(problems({ maps })).toEqual([
      'pgHba.maps[2]  people ada.lovelace has 2 words; write a map, a system user and a role, e.g. "people ada.lovelace ada"',
      "pgHba.maps[3]  people a,b ada has a list; write one line for each name",
      "pgHba.maps[4]  /^( is not a supported regular expression; correct or simplify it",
      "pgHba.maps[5]  people ada \\1 has \\1, but the system user is no regular expression; write it like /^(.*)@example\\.com$",
      "pgHba.maps[6]  people /^ada$ \\1 has \\1, but the regular expression has no group; put a part of it in parentheses",
      "pgHba.maps[7]  include more.conf includes other files; write their lines here",
      'pgHba.maps[8]  is empty; write a map, a system user and a role, e.g. "people ada.lovelace ada"',
      'pgHba.maps[9]  people "ada ada has an unclosed quote; close it',
    ]);
    expect(mapNames(maps.slice(0, 2))).toEqual(["people", "my map"]);
  });

  test("and a CA of clients are what rules with cert and map need", () => {
    const rules = ["hostssl db ada samenet cert map=people"];
    const about = (section: object, clientCa: boolean): readonly string[] =>
      pgHbaConfigProblems("production", "db", pgHbaConfigSchema.parse(section), clientCa).map(
        ({ path }) => path,
      );
    expect(about({ rules }, false)).toEqual(["pgHba.rules[0]"]);
    expect(about({ rules }, true)).toEqual(["pgHba.rules[0]"]);
    expect(about({ rules, maps: ["people ada.lovelace ada"] }, true)).toEqual([]);
  });

  test("are rendered with a digest, and compared without comments", () => {
    const maps = ["people  ada.lovelace ada", 'people "/^(.*)@x$" \\1'];
    const file = renderMaps(maps, () => "0123456789abcdef0123");
    expect(file).toBe(
      "# Generated by Stagecraft from pgHba.maps of the stack, digest 0123456789abcdef. Manual changes are rolled back.\npeople  ada.lovelace  ada\npeople  /^(.*)@x$  \\1\n",
    );
    expect(areMapsUpToDate(file, maps)).toBe(true);
    expect(areMapsUpToDate("# only\n#\tcomments\n\n", [])).toBe(true);
    expect(areMapsUpToDate(`${file}people mallory ada\n`, maps)).toBe(false);
    expect(areMapsUpToDate(file, [...maps].reverse())).toBe(false);
  });
});

describe("a preset", () => {
  const of = (kind: (typeof serverKinds)[number], section: object): readonly string[] =>
    rulesOfServer(kind, "db", pgHbaConfigSchema.parse(section)).map(formatRule);

  test("is narrowed by networks of single roles", () => {
    expect(of("production", { readonly: "none", monitoring: "10.9.0.0/24" })).toEqual([
      "local all postgres peer",
      "local all /^stagecraft_session_ scram-sha-256",
      "host all db_readonly all reject",
      "hostssl all stagecraft_monitor 10.9.0.0/24 scram-sha-256",
      "host all stagecraft_monitor all reject",
      "host all postgres all reject",
      "hostssl db db,db_readonly samenet scram-sha-256",
    ]);
    expect(of("staging", { readonly: "10.9.0.0/24" })).toEqual([
      "local all postgres peer",
      "local all /^stagecraft_session_ scram-sha-256",
      "host db db_readonly 10.9.0.0/24 scram-sha-256",
      "host all db_readonly all reject",
      "host all postgres all reject",
      "host db all samenet scram-sha-256",
      "host all stagecraft_monitor samenet scram-sha-256",
    ]);
    expect(of("development", { monitoring: "none" })).toContain(
      "host all stagecraft_monitor all reject",
    );
    // The application's network is the default.
    expect(of("production", { readonly: "samenet", monitoring: "samenet" })).toEqual(
      of("production", {}),
    );
  });

  test.each(serverKinds)(
    "of %s that is narrowed locks nobody out who is still required",
    (kind) => {
      const section = { readonly: "none", monitoring: "10.9.0.0/24" };
      const rules = rulesOfServer(kind, "db", section);
      const required = requiredAccess(kind, "db", "samenet", section);
      expect(required.map(({ name }) => name)).not.toContain("reports");
      expect(findingsOf(rules, { kind, required })).toEqual([]);
    },
  );

  test("has the first rules behind the agent's own", () => {
    const reject = "hostssl db db_readonly samenet reject";
    const section = { firstRules: [reject], rules: ["host all all 0.0.0.0/0 trust"] };
    expect(of("production", section).indexOf(reject)).toBe(2);
    expect(problems({ firstRules: ["host all all 10.0.0.0/8 scram"], readonly: "office" })).toEqual(
      [
        'pgHba.readonly  must be a network like 10.20.0.0/24, or samenet for the server\'s own, got "office"',
        'pgHba.firstRules[0]  host all all 10.0.0.0/8 scram: "scram" is not a method; did you mean scram-sha-256?',
      ],
    );
    const found = (section: object): readonly string[] =>
      pgHbaConfigProblems("production", "db", pgHbaConfigSchema.parse(section), false).map(
        ({ path }) => path,
      );
    expect(found(section)).toEqual(["pgHba.rules[0]"]);
    expect(found({ firstRules: section.rules })).toEqual(["pgHba.firstRules[0]"]);
  });
});

describe("the rules of a server", () => {
  const lines = (kind: (typeof serverKinds)[number], application?: string): readonly string[] =>
    presets[kind]({
      database: "timesheets",
      ...(application === undefined ? {} : { application }),
    }).map(formatRule);

  test("for development trust inside the container and ask for a password from the host", () => {
    expect(lines("development")).toEqual([
      "local all postgres peer",
      "local all /^stagecraft_session_ scram-sha-256",
      "local all all trust",
      "host all postgres all reject",
      "host all all samenet scram-sha-256",
    ]);
    expect(lines("development", "10.20.0.0/24").at(-1)).toBe(
      "host all all 10.20.0.0/24 scram-sha-256",
    );
  });

  test("for staging let everybody with a password to the database, from the application's network", () => {
    expect(lines("staging", "10.20.0.0/24")).toEqual([
      "local all postgres peer",
      "local all /^stagecraft_session_ scram-sha-256",
      "host all postgres all reject",
      "host timesheets all 10.20.0.0/24 scram-sha-256",
      "host all stagecraft_monitor 10.20.0.0/24 scram-sha-256",
    ]);
  });

  test("for production let the application's roles in by TLS, from its network", () => {
    expect(lines("production", "10.20.0.0/24")).toEqual([
      "local all postgres peer",
      "local all /^stagecraft_session_ scram-sha-256",
      "host all postgres all reject",
      "hostssl timesheets timesheets,timesheets_readonly 10.20.0.0/24 scram-sha-256",
      "hostssl all stagecraft_monitor 10.20.0.0/24 scram-sha-256",
    ]);
  });

  test("are those of the preset and behind them the stack file's", () => {
    const rules = ["hostssl timesheets ada 192.0.2.0/24 cert"];
    expect(
      renderPgHba(
        rulesOfServer("production", "timesheets", { application: "10.20.0.0/24", rules }),
        ["Made by Stagecraft."],
      ),
    ).toBe(
      `# Made by Stagecraft.
# TYPE   DATABASE    USER                            ADDRESS       METHOD
local    all         postgres                                      peer
local    all         /^stagecraft_session_                         scram-sha-256
host     all         postgres                        all           reject
hostssl  timesheets  timesheets,timesheets_readonly  10.20.0.0/24  scram-sha-256
hostssl  all         stagecraft_monitor              10.20.0.0/24  scram-sha-256
hostssl  timesheets  ada                             192.0.2.0/24  cert
`,
    );
  });

  test.each(serverKinds)(
    "of %s begin with the agent's, and name odd databases as they are",
    (kind) => {
      const [first, ...others] = rulesOfServer(kind, "all", {});
      expect(first && formatRule(first)).toBe("local all postgres peer");
      if (kind !== "development") expect(others.map(formatRule).join()).toContain('"all"');
    },
  );
});

test("the agent's requests, answers and observations have their form", () => {
  const request = {
    server: "staging",
    text: "local all all peer\n",
    required: [
      { name: "agent", user: "postgres", database: "postgres", over: "socket", method: "peer" },
    ],
  };
  expect(pgHbaRequestSchema.parse(request)).toEqual(request);
  const odd = { ...request, required: [{ ...request.required[0], method: "scram" }], more: 1 };
  const { error } = pgHbaRequestSchema.safeParse(odd);
  expect(error?.issues.map(({ path }) => path.join("."))).toEqual(["required.0.method", ""]);
  const result = { changed: true, seconds: 0.2, steps: [{ name: "reload", seconds: 0.1 }] };
  expect(pgHbaResultSchema.parse(result)).toEqual(result);
  const observation = { text: "", sha256: "0".repeat(64) };
  expect(pgHbaObservationSchema.parse(observation)).toEqual(observation);
});
