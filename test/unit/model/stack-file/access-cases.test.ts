import { describe, expect, test } from "vitest";
import { findingsOf, formatFinding } from "../../../../model/pg-hba/judge/findings";
import { mapNames } from "../../../../model/pg-hba/text/maps";
import { parseStackConfig } from "../../../../model/stack-file/parse";
import { rulesOfServer } from "../../../../model/stack-file/pg-hba";

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

const rule = {
  radius:
    "hostssl timesheets timesheets 10.1.0.0/16 radius radiusservers=radius.office.example radiussecrets=s3cret",
  cert: "hostssl timesheets ada samenet cert",
  clientcert: "hostssl postgres ada samenet scram-sha-256 clientcert=verify-ca",
  map: "hostssl timesheets ada samenet cert map=people",
  reject: "host timesheets timesheets_readonly samenet reject",
  oauth:
    'hostssl timesheets +staff 10.30.0.0/16 oauth issuer="https://sso.example.com" scope=openid',
};
const noCa =
  "nobody can connect by it, because PostgreSQL has no CA to verify client certificates with; set tls.clientCa to the PEM file of that CA";

describe("a stack file of production", () => {
  test.each([
    [
      "a RADIUS server by its name: the agent lets PostgreSQL judge it before it is applied",
      { pgHba: { rules: [rule.radius] } },
      {
        errors: [],
        warnings: [
          "hostssl timesheets timesheets 10.1.0.0/16 radius radiusservers=radius.office.example radiussecrets=…: PostgreSQL resolves radius.office.example whenever it reads the rules, and does not start while that fails; write the IP address",
        ],
      },
    ],
    [
      "rules with client certificates, without their CA",
      { pgHba: { rules: [rule.cert, rule.clientcert] } },
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
      { pgHba: { rules: [rule.reject] } },
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
      { postgres: { port: 15434, settings: { log_file_mode: "0640" } } },
      { errors: [], warnings: [] },
    ],
  ])("with %s", (_, section, expected) => {
    expect(told(section)).toEqual(expected);
  });
});
