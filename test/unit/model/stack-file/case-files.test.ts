import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { findingsOf, formatFinding } from "../../../../model/pg-hba/judge/findings";
import { checkRule } from "../../../../model/pg-hba/rule/check";
import type { PgHbaRule } from "../../../../model/pg-hba/rule/rule";
import { mapNames } from "../../../../model/pg-hba/text/maps";
import { parsePgHba } from "../../../../model/pg-hba/text/parse";
import { parseStackConfig } from "../../../../model/stack-file/parse";
import { rulesOfServer } from "../../../../model/stack-file/pg-hba";
import { driftCases } from "../../../support/access/unseen-drift";
import { checkout } from "../../../support/files/checkout";
import { serverVerdicts } from "../../../support/pg-hba/server-verdicts";

const passwords = { application: "long enough", readonly: "long enough", monitor: "long enough" };
const base = {
  postgres: { port: 15434 },
  database: { name: "timesheets" },
  data: { dump: "timesheets.sql" },
  passwords,
};

/** What a stack file of production is told: errors before anything is touched, and warnings of the preview. */
function told(more: object): { readonly errors: string[]; readonly warnings: string[] } {
  const { config, problems } = parseStackConfig("prod", { ...base, ...more });
  const { pgHba = {}, tls } = config;
  const provided = { clientCa: tls?.clientCa !== undefined, maps: mapNames(pgHba.maps ?? []) };
  const rules = rulesOfServer("production", "timesheets", pgHba);
  return {
    errors: problems.map(({ path, text }) => `${path}  ${text}`),
    warnings: findingsOf(rules, { kind: "production", provided })
      .filter(({ severity }) => severity === "warning")
      .map(formatFinding),
  };
}

const read = (name: string): string =>
  readFileSync(join(checkout, "test/support/cases", name), "utf8");

/** The sections in a file of the folder: with `config:` and the project's name before them, or only the latter. */
function sections(name: string): Record<string, unknown> {
  const file = parse(read(name)) as Record<string, unknown>;
  const config = (file["config"] ?? file) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace("stagecraft:", ""), value]),
  );
}

const rule = {
  cert: "hostssl timesheets ada samenet cert",
  clientcert: "hostssl postgres ada samenet scram-sha-256 clientcert=verify-ca",
  map: "hostssl timesheets ada samenet cert map=people",
  oauth:
    'hostssl timesheets +staff 10.30.0.0/16 oauth issuer="https://sso.example.com" scope=openid',
};
const noCa =
  "nobody can connect by it, because PostgreSQL has no CA to verify client certificates with; set tls.clientCa to the PEM file of that CA";

describe("a stack file of production", () => {
  test.each([
    [
      "a RADIUS server by its name: the agent lets PostgreSQL judge it before it is applied",
      sections("access/radius-name.yaml"),
      {
        errors: [],
        warnings: [
          "hostssl timesheets timesheets 10.1.0.0/16 radius radiusservers=radius.office.example radiussecrets=…: PostgreSQL resolves radius.office.example whenever it reads the rules, and does not start while that fails; write the IP address",
        ],
      },
    ],
    [
      "rules with client certificates, without their CA",
      sections("access/client-certificates.yaml"),
      {
        errors: [
          `pgHba.rules[0]  ${rule.cert}: ${noCa}`,
          `pgHba.rules[1]  ${rule.clientcert}: ${noCa}`,
        ],
        warnings: [],
      },
    ],
    [
      "rules with client certificates and a map",
      {
        tls: { clientCa: "clients.pem" },
        pgHba: {
          rules: [rule.cert, rule.clientcert, rule.map.replace("ada", "bob")],
          maps: ["people bob.b bob"],
        },
      },
      { errors: [], warnings: [] },
    ],
    [
      "a map that is not there",
      { tls: { clientCa: "clients.pem" }, pgHba: { rules: [rule.map] } },
      {
        errors: [
          `pgHba.rules[0]  ${rule.map}: nobody can connect by it, because there is no user name map "people"; add lines like "people <system user> <role>" to pgHba.maps`,
        ],
        warnings: [],
      },
    ],
    [
      "a rejection behind the preset",
      sections("access/reject-without-effect.yaml"),
      {
        errors: [],
        warnings: [
          expect.stringMatching(
            /^host timesheets timesheets_readonly samenet reject: decides nothing: "hostssl timesheets timesheets,timesheets_readonly samenet scram-sha-256" before it lets in/,
          ),
        ],
      },
    ],
    ["what that rejection means", { pgHba: { readonly: "none" } }, { errors: [], warnings: [] }],
    [
      "a method of a newer version",
      { pgHba: { rules: [rule.oauth] } },
      {
        errors: [
          expect.stringMatching(/^pgHba\.rules\[0\] .*: oauth needs PostgreSQL 18, this is 17/),
        ],
        warnings: [],
      },
    ],
    [
      "an octal file mode",
      {
        postgres: {
          ...base.postgres,
          ...(sections("access/log-file-mode.yaml")["postgres"] as object),
        },
      },
      { errors: [], warnings: [] },
    ],
  ])("with %s", (_, section, expected) => {
    expect(told(section)).toEqual(expected);
  });
});

/** What is right for the files that are not sections of a stack file, and for those that have nothing but mistakes. */
const more: Readonly<Record<string, () => void>> = {
  "access/unseen-drift.sql": () => {
    const changes = driftCases.map(({ sql }) => sql.toLowerCase()).join("; ");
    const statements = read("access/unseen-drift.sql").replaceAll(/--.*$/gm, "").split(";");
    for (const statement of statements) expect(changes).toContain(statement.trim());
  },
  "access/included-files.conf": () => {
    const name = "access/included-files.conf";
    const included = read(name)
      .replaceAll(/^(?!# {3}).*\n/gm, "")
      .replaceAll("#", "");
    const { rules, problems } = parsePgHba(read(name), {
      listFolder: (path) => (path === "hba.d" ? ["10-app.conf"] : undefined),
      readInclude: (path) => (path === "hba.d/10-app.conf" ? included : undefined),
    });
    expect(problems).toEqual([]);
    expect(rules.map(({ type, users }) => `${type} ${users.join()}`)).toEqual([
      "local all",
      "hostssl stagecraft",
      "hostssl timesheets",
      "hostssl timesheets_readonly",
    ]);
  },
  "access/external-oauth.yaml": () => {
    const { rules } = parse(read("access/external-oauth.yaml")) as { rules: readonly PgHbaRule[] };
    expect(rules.flatMap((one) => checkRule(one, 18))).toEqual([]);
    expect(rules.flatMap((one) => checkRule(one, 17))).toMatchObject([
      { severity: "error", text: "oauth needs PostgreSQL 18, this is 17; use another method" },
    ]);
  },
  "access/agree-with-server.conf": () => {
    const verdicts = new Map(serverVerdicts);
    const lines = read("access/agree-with-server.conf")
      .split("\n")
      .filter((line) => /^\w/.test(line));
    expect(lines).toHaveLength(10);
    for (const line of lines) {
      const { problems } = parsePgHba(`${line}\n`);
      const isRejected = problems.some(({ severity }) => severity === "error");
      expect(isRejected ? "rejected" : "accepted", line).toBe(verdicts.get(line));
    }
  },
  "backups/two-jobs.yaml": () => {
    expect(told(sections("backups/two-jobs.yaml"))).toEqual({ errors: [], warnings: [] });
  },
  "backups/wrong-step.yaml": () => {
    expectAll("backups/wrong-step.yaml", /the step of minute must be at most 60/);
  },
  "backups/wrong-day.yaml": () => {
    expectAll("backups/wrong-day.yaml", /names a day that does not exist/);
  },
};

/** All problems of a section with backups, besides one of its first job. */
function expectAll(name: string, first: RegExp): void {
  expect(told(sections(name)).errors).toEqual([
    expect.stringMatching(first),
    expect.stringMatching(/Weekly Job\.schedule {2}.* must be an ascending range, got sat-sun/),
    expect.stringMatching(/Weekly Job\.timeZone {2}must be a time zone/),
    expect.stringMatching(/Weekly Job {2}must have a name/),
    expect.stringMatching(/^backups\.keep\.daily {2}must be the number to keep/),
    expect.stringMatching(/^backups\.offsite\.keep\.daily {2}must be the number to keep/),
  ]);
}

describe("each file of the folders access and backups", () => {
  test.each(Object.entries(more))("is judged as it says: %s", (_, check) => {
    check();
  });

  test("is judged by a test", () => {
    const source = readFileSync(__filename, "utf8");
    const files = ["access", "backups"].flatMap((folder) =>
      readdirSync(join(checkout, "test/support/cases", folder)).map((name) => `${folder}/${name}`),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((name) => !source.includes(`"${name}"`))).toEqual([]);
  });
});
