import { beforeAll, describe, expect, test } from "vitest";
import { parsePgHba } from "../../../model/pg-hba/text/parse";
import { renderPgHba, renderPgHbaFile } from "../../../model/pg-hba/text/render";
import { runHbaCases, type HbaRun } from "../../support/pg-hba/run-cases";

/** Files beside pg_hba.conf. */
const others: Readonly<Record<string, string>> = {
  admins: "ada, bob\n# the third\ncarol\n",
  demodbs: '"demo one",demo2',
  "extra.conf": "host extra all 203.0.113.0/24 md5\ninclude nested.conf\n",
  "nested.conf": "host nested all 203.0.113.8/30 scram-sha-256\n",
  "conf.d/20.conf": "host twenty all samenet scram-sha-256\n",
  "conf.d/10.conf": "host ten all samenet scram-sha-256\n",
  "conf.d/.hidden.conf": "nonsense\n",
  "conf.d/notes.txt": "nonsense\n",
};

/** Every shape that PostgreSQL's manual shows, 20.1 and 20.5 to 20.15, with other values. */
const shapes = [
  // 20.1: types, addresses and masks
  "local   all             all                                     trust",
  "host    all             all             127.0.0.1/32            trust",
  "host    all             all             127.0.0.1       255.255.255.255     trust",
  "host    all             all             ::1/128                 trust",
  "host    all             all             fe80::7a31:c1ff:0:0/96  scram-sha-256",
  "host    all             all             fd00::  ffff:ffff::     scram-sha-256",
  "host    all             all             localhost               trust",
  "host    all             all             0.0.0.0/0               reject",
  "host    all             all             ::0/0                   reject",
  "host    all             all             all                     scram-sha-256",
  "host    all             all             samehost                scram-sha-256",
  "host    all             all             samenet                 scram-sha-256",
  "hostssl all             all             10.20.0.0/24            scram-sha-256",
  "hostnossl all           all             10.20.0.0/24            reject",
  "hostgssenc all          all             0.0.0.0/0               scram-sha-256",
  "hostnogssenc all        all             0.0.0.0/0               reject",
  // 20.1: databases and users
  "host    postgres        all             192.168.93.0/24         ident",
  "host    all             mike            .example.com            md5",
  "host    all             all             .example.com            scram-sha-256",
  "host    all             /^.*helpdesk$   192.168.0.0/16          ident map=omicron",
  "local   sameuser        all                                     md5",
  "local   samerole        all                                     md5",
  "local   all             /^.*helpdesk$                           md5",
  "local   all             @admins,+support                        md5",
  "local   @demodbs,db1    all                                     md5",
  'local   "/^db\\d{2,4}$" all                                     md5',
  "local   replication     all                                     peer",
  "host    replication     replica         10.20.0.7/32            scram-sha-256",
  'local   "all","db,2"    "+support","two words"                  trust',
  "local   a,b,c \\\n  all \\\n  peer map=people # on three lines",
  // 20.1: other files
  "include extra.conf",
  "include_if_exists extra.conf\ninclude_if_exists missing.conf\nlocal all all peer",
  "include_dir conf.d",
  // 20.5 to 20.15: methods and their options
  "host    all             all             samenet                 password",
  "host    all             all             samenet                 gss include_realm=0",
  "host    all             all             samenet                 gss map=people krb_realm=EXAMPLE.COM include_realm=1",
  "host    all             all             samenet                 ident map=people",
  "local   all             all                                     peer map=people",
  'host    all             all             samenet                 ldap ldapserver=ldap.example.net ldapprefix="cn=" ldapsuffix=", dc=example, dc=net"',
  'host    all             all             samenet                 ldap ldapserver=ldap.example.net ldapbasedn="dc=example, dc=net" ldapsearchattribute=uid',
  'host    all             all             samenet                 ldap ldapurl="ldap://ldap.example.net/dc=example,dc=net?uid?sub"',
  'host    all             all             samenet                 ldap ldapserver=ldap.example.net ldaptls=1 ldapport=1389 ldapbinddn="cn=x" ldapbindpasswd="a ""b""" ldapbasedn="dc=example" ldapsearchfilter="(|(uid=$username)(mail=$username))"',
  'host    all             all             samenet                 ldap ldapbasedn="dc=example,dc=net"',
  "host    all             all             samenet                 ldap ldapscheme=ldaps ldapserver=ldap.example.net ldapprefix=x",
  'host    all             all             samenet                 radius radiusservers="127.0.0.1" radiussecrets="""a secret""" radiusports=1812 radiusidentifiers=pg',
  'host    all             all             samenet                 radius radiusservers="127.0.0.1,::1" radiussecrets="""one, two"",""three"""',
  "hostssl all             all             samenet                 cert",
  "hostssl all             all             samenet                 cert map=people clientname=DN",
  "hostssl all             all             samenet                 scram-sha-256 clientcert=verify-ca",
  "hostssl all             all             samenet                 ldap clientcert=verify-full ldapserver=127.0.0.1 ldapprefix=x",
  "host    all             all             samenet                 pam",
  "host    all             all             samenet                 pam pamservice=postgresql pam_use_hostname=1",
];

/** What PostgreSQL on Linux, or of this version, does not know. */
const foreign = [
  "host    all             all             samenet                 sspi compat_realm=0 upn_username=1",
  "local   all             all                                     bsd",
  "host    all             all             samenet                 oauth issuer=https://id.example scope=openid",
];

/** All of them in one file, with comments between. */
const whole = [
  "# PostgreSQL Client Authentication Configuration File",
  "# ===================================================",
  "",
  ...shapes.flatMap((shape) => ["# TYPE  DATABASE        USER            ADDRESS", shape, ""]),
].join("\n");

const texts = [...shapes, whole];
const parsed = texts.map((text) =>
  parsePgHba(text, {
    readInclude: (path) => others[path],
    listFolder: (folder) =>
      Object.keys(others)
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
  }),
);

const toCase = (text: string) => ({ files: { ...others, "pg_hba.conf": text }, tries: [] });

let run: HbaRun;
beforeAll(async () => {
  const rendered = parsed.map(({ rules }) => renderPgHba(rules));
  run = await runHbaCases({
    setup: "",
    cases: [...texts, ...rendered, ...foreign].map(toCase),
  });
});

/** The rows of `pg_hba_file_rules` for a case, without their places. */
function rowsOf(index: number) {
  return (run.outcomes[index]?.rows ?? []).map((row) => ({
    ...row,
    rule_number: undefined,
    line_number: undefined,
    file_name: undefined,
  }));
}

describe("a shape of PostgreSQL's manual", () => {
  test.each(texts.map((text, index) => [text.slice(0, 120), index] as const))("%s", (_, index) => {
    const rows = rowsOf(index);
    expect(rows.map(({ error }) => error)).toEqual(rows.map(() => null));
    expect(rows.length).toBeGreaterThan(0);
    // PostgreSQL's rows of the rendered rules are those of the text.
    expect(rowsOf(texts.length + index)).toEqual(rows);
    const { file, rules, problems } = parsed[index] ?? parsePgHba("");
    expect(renderPgHbaFile(file)).toBe(texts[index]);
    expect(rules).toHaveLength(rows.length);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test.each(foreign.map((text, index) => [text, index] as const))(
    "that another PostgreSQL has is refused by this one, and the model tells: %s",
    (text, index) => {
      const [row] = run.outcomes[2 * texts.length + index]?.rows ?? [];
      expect(row?.error).toMatch(/^invalid authentication method/);
      expect(parsePgHba(text).problems).toHaveLength(1);
    },
  );
});
