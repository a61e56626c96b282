import { describe, expect, test } from "vitest";
import { accessMatrix, type AccessScope } from "../../../../../model/pg-hba/judge/access-matrix";
import { accessText } from "../../../../../model/pg-hba/judge/access-text";
import { parsePgHba } from "../../../../../model/pg-hba/text/parse";
import { presets } from "../../../../../model/pg-hba/rule/presets";
import { requiredAccess } from "../../../../../model/pg-hba/judge/required-access";
import type { PgHbaRule } from "../../../../../model/pg-hba/rule/rule";

const rulesOf = (...lines: readonly string[]): readonly PgHbaRule[] =>
  parsePgHba(lines.join("\n")).rules;

const scope: AccessScope = {
  subjects: [
    { name: "app", user: "timesheets", database: "timesheets" },
    { name: "readonly", user: "timesheets_readonly", database: "timesheets" },
    { name: "replication", user: "copier", database: "", replication: true },
  ],
  networks: [
    { name: "application", address: "10.10.0.0/24" },
    { name: "office", address: "192.0.2.0/24" },
  ],
};

const before = [
  ...presets.production({ database: "timesheets", application: "10.10.0.0/24" }),
  ...rulesOf("hostssl timesheets timesheets_readonly 192.0.2.0/24 scram-sha-256"),
];

describe("the preview", () => {
  test("shows who gains access", () => {
    const after = [
      ...before,
      ...rulesOf("hostssl timesheets timesheets 192.0.2.0/24 scram-sha-256"),
    ];
    expect(accessText("production", before, after, scope)).toBe(
      `pg_hba of production
                          application 10.10.0.0/24   office 192.0.2.0/24   everyone else
  timesheets (app)        scram, TLS                 – → scram, TLS  ▲     rejected
  timesheets (readonly)   scram, TLS                 scram, TLS            rejected
  replication             rejected                   rejected              rejected
  ▲ gains access: app from 192.0.2.0/24        no required connection is locked out`,
    );
  });

  test("shows who loses access, who needs another method and what is locked out", () => {
    const after = rulesOf(
      "hostssl timesheets timesheets_readonly 10.10.0.0/24 cert",
      "host replication copier 10.10.0.9/32 md5",
    );
    const required = requiredAccess("production", "timesheets", "10.10.0.0/24").filter(
      ({ name }) => name !== "the agent",
    );
    expect(accessText("production", before, after, { ...scope, required })).toBe(
      `pg_hba of production
                          application 10.10.0.0/24    office 192.0.2.0/24   everyone else
  timesheets (app)        scram, TLS → –  ▼           rejected              rejected
  timesheets (readonly)   scram, TLS → cert, TLS  ◆   scram, TLS → –  ▼     rejected
  replication             – → partly md5  ▲           rejected              rejected
  ▲ gains access: replication from 10.10.0.0/24
  ▼ loses access: app from 10.10.0.0/24, readonly from 192.0.2.0/24
  ◆ needs another method: readonly from 10.10.0.0/24
  locked out: the agent's restricted logins, the application, monitoring`,
    );
  });

  test("of a new server compares with nothing", () => {
    expect(
      accessText("staging", undefined, presets.staging({ database: "timesheets" }), {
        ...scope,
        networks: [{ name: "socket" }, { name: "samenet", address: "samenet" }],
      }),
    ).toBe(
      `pg_hba of staging
                          socket     samenet    everyone else
  timesheets (app)        rejected   scram      rejected
  timesheets (readonly)   rejected   scram      rejected
  replication             rejected   rejected   rejected
  no required connection is locked out`,
    );
  });
});

describe("a cell", () => {
  const cells = (lines: readonly string[], server?: AccessScope["server"]): readonly string[] => {
    const [row] = accessMatrix(rulesOf(...lines), {
      subjects: [{ name: "a", user: "a", database: "a" }],
      networks: [
        { name: "net", address: "10.0.0.0/24" },
        { name: "one", address: "10.0.0.7" },
        { name: "own", address: "samenet" },
      ],
      ...(server ? { server } : {}),
    }).rows;
    return row?.cells ?? [];
  };

  test.each([
    ["host a a all md5", ["md5", "md5", "md5", "md5"]],
    ["hostnossl a a all md5", ["md5, no TLS", "md5, no TLS", "md5, no TLS", "md5, no TLS"]],
    ["host a a 10.0.0.0/25 md5", ["partly md5", "md5", "rejected", "rejected"]],
    [
      "host a a 10.0.0.0/26 md5\nhost a a 10.0.0.192/26 md5",
      ["partly md5", "md5", "rejected", "rejected"],
    ],
    ["host a a 10.0.0.8/32 md5", ["partly md5", "rejected", "rejected", "rejected"]],
    ["host a a 10.0.0.0/16 md5", ["md5", "md5", "rejected", "partly md5"]],
    ["host a a fd00::/64 md5", ["rejected", "rejected", "rejected", "partly md5"]],
    ["host a a samenet md5", ["rejected", "rejected", "md5", "rejected"]],
    ["host b a all trust\nhost a b all trust", ["rejected", "rejected", "rejected", "rejected"]],
    [
      "hostssl a a 10.0.0.0/24 cert\nhost a a all md5",
      ["cert with TLS, md5 without", "cert with TLS, md5 without", "md5", "md5"],
    ],
    [
      "host a a 10.0.0.7/32 reject\nhost a a 10.0.0.0/24 md5",
      ["partly md5", "rejected", "rejected", "rejected"],
    ],
    [
      "host a a 10.0.0.0/25 gss\nhost a a 10.0.0.0/24 md5",
      ["gss or md5", "gss", "rejected", "rejected"],
    ],
  ])("under %j says %j", (lines, expected) => {
    expect(cells(lines.split("\n"))).toEqual(expected);
  });

  test("knows the server's own networks where they are told", () => {
    const server = { interfaces: ["172.18.0.2/16"] };
    expect(cells(["host a a 172.18.0.0/17 md5"], server)).toEqual([
      "rejected",
      "rejected",
      "partly md5",
      "rejected",
    ]);
  });
});
