import { describe, expect, test } from "vitest";
import { parsePgHba, type ParseOptions } from "../../../../../model/pg-hba/text/parse";
import { formatRule, renderPgHba, renderPgHbaFile } from "../../../../../model/pg-hba/text/render";

/** The rules of a file, each in one line with single blanks. */
function rulesOf(text: string, options: ParseOptions = {}): readonly string[] {
  const { rules, problems } = parsePgHba(text, options);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return rules.map(formatRule);
}

// Every shape of line that the PostgreSQL manual shows in 20.1 and 20.5 to 20.15, with other values.
describe("a line of the manual's shapes", () => {
  test.each([
    "local   all         all                     trust",
    "host    all         all  127.0.0.1/32       trust",
    "host    all         all  127.0.0.1  255.255.255.255  trust",
    "host    all         all  ::1/128            trust",
    "host    all         all  localhost          trust",
    "host    all         all  fd00:: ffff:ffff:: trust",
    "host    db1         all  198.51.100.0/24    ident",
    "host    db1         all  198.51.100.7/32    scram-sha-256",
    "host    all         ada  .corp.example      md5",
    "host    all         all  .corp.example      scram-sha-256",
    "host    all         all  203.0.113.9/32     reject",
    "host    all         all  0.0.0.0/0          gss",
    "hostgssenc all      all  0.0.0.0/0          gss include_realm=1 krb_realm=EXAMPLE.COM",
    "hostnogssenc all    all  samehost           scram-sha-256",
    "hostnossl all       all  samenet            reject",
    "host    all         all  172.16.0.0/12      ident map=laptops",
    "local   sameuser    all                     md5",
    "local   samerole    all                     md5",
    "local   samegroup   all                     md5",
    "local   all         +helpdesk               md5",
    "local   all         /^.*operator$           md5",
    'local   "/^dept\\d{2,4}$" all               md5',
    "local   db1,db2     all                     md5",
    "local   replication backup                  peer map=backup",
    "hostssl all         all  all                cert map=people clientname=DN",
    "hostssl all         all  ::/0               scram-sha-256 clientcert=verify-ca",
    'host    all         all  all                ldap ldapserver=ldap.example ldapprefix=cn= ldapsuffix=",dc=example"',
    'host    all         all  all                ldap ldapserver=ldap.example ldapbasedn="dc=example, dc=net" ldapsearchattribute=uid',
    "host    all         all  all                ldap ldapurl=ldap://ldap.example/dc=example?uid?sub",
    'host    all         all  all                ldap ldapbasedn=dc=example ldapsearchfilter="(| (uid=$username) (mail=$username))" ldaptls=1',
    'host    all         all  all                radius radiusservers="a,b" radiussecrets="""one, two"",three" radiusports=1812',
    "host    all         all  all                pam pamservice=postgresql pam_use_hostname=1",
  ])("%s comes back the same", (line) => {
    const plain = line.replace(/ +/g, " ");
    expect(rulesOf(`${line}\n`)).toEqual([plain]);
    expect(rulesOf(renderPgHba(parsePgHba(line).rules))).toEqual([plain]);
  });

  test("oauth is known from PostgreSQL 18 on", () => {
    const line =
      'host all all all oauth issuer=https://id.example scope="openid email" validator=v';
    expect(rulesOf(line, { version: 18 })).toEqual([line]);
  });
});

describe("a rule", () => {
  test("has every field of its line", () => {
    const text = `# people\n\nhostssl "my db",b +staff,"all" 10.0.0.0 255.0.0.0 cert map="a b" # why\n`;
    expect(parsePgHba(text).rules).toEqual([
      {
        type: "hostssl",
        databases: ['"my db"', "b"],
        users: ["+staff", '"all"'],
        address: "10.0.0.0",
        mask: "255.0.0.0",
        method: "cert",
        options: { map: "a b" },
        file: "pg_hba.conf",
        line: 3,
      },
    ]);
  });

  test.each([
    ["quotes that change nothing", 'local "db1" "ada" "peer"', "local db1 ada peer"],
    ["quotes around an option", 'local a b peer "map=c d"', 'local a b peer map="c d"'],
    ["quotes that take a meaning away", 'local "all" "+a","@b" peer', 'local "all" "+a","@b" peer'],
    ["quotes in the middle", 'local a"b c"d +"my role" peer', 'local "ab cd" +"my role" peer'],
    ["doubled quotes", 'local "a""b" """" peer', 'local "a""b" """" peer'],
    ["an expression in quotes", 'local "/a,b" all peer', 'local "/a,b" all peer'],
    ["blanks behind commas", "local a, b,\tc all peer", "local a,b,c all peer"],
    ["tabs and carriage returns", "local\tall \t all\tpeer\r\n", "local all all peer"],
    ["a comment without a blank", "local all all peer#map=x", "local all all peer"],
    ["a sign of comment in quotes", 'local "a#b" all peer', 'local "a#b" all peer'],
    ["a keyword of another field", "local ada samenet peer", "local ada samenet peer"],
    ["continued lines", "local a\\\n,b \\\r\nall peer", "local a,b all peer"],
    ["a continued quote", 'local "a\\\nb" all peer', "local ab all peer"],
    ["two backslashes at the end", "local a\\\\\n all peer", 'local "a\\" all peer'],
    // The second backslash joins the empty line; the first, which is left, joins no more.
    [
      "a backslash before an empty line",
      "local a all peer map=b\\\\\n\n#",
      'local a all peer map="b\\"',
    ],
    ["no line break at the end", "local all all peer\\", "local all all peer"],
  ])("is read with %s", (_, text, rule) => {
    expect(rulesOf(text)).toEqual([rule]);
  });

  test("behind a continued comment is part of the comment", () => {
    const text = "# one \\\nlocal all all trust\nlocal all all peer\n";
    expect(parsePgHba(text).rules.map(({ method, line }) => [method, line])).toEqual([["peer", 3]]);
  });
});

test("a word that is longer than all others widens no column", () => {
  const databases = Array.from({ length: 20 }, (_, at) => `db${at}`);
  const { rules } = parsePgHba(`local ${databases.join()} ada peer\nhost db1 bob samenet md5\n`);
  expect(renderPgHba(rules)).toBe(
    `# TYPE  DATABASE  USER  ADDRESS  METHOD
local   ${databases.join()}  ada            peer
host    db1       bob   samenet  md5
`,
  );
});

describe("other files", () => {
  const files: Readonly<Record<string, string>> = {
    "/etc/pg/admins": "ada, bob # the two\n@more\n",
    "/etc/pg/more": '"cy d"\n',
    "/etc/pg/nobody": "# nobody yet\n",
    "/etc/pg/extra.conf": "host all all samenet md5\ninclude_dir d\n",
    "/etc/pg/d/b.conf": "local b all peer\n",
    "/etc/pg/d/a.conf": "local a all peer\n",
    "/etc/pg/round.conf": "include round.conf\n",
  };
  const options: ParseOptions = {
    name: "/etc/pg/pg_hba.conf",
    readInclude: (path) => files[path],
    listFolder: (path) =>
      path === "/etc/pg/d" ? ["b.conf", ".x.conf", "a.conf", "a.bak", ".conf"] : undefined,
  };

  test("are read in the place of their line", () => {
    const text =
      "local all all peer\ninclude extra.conf\ninclude_if_exists none.conf\nlocal c all peer\n";
    const { rules, problems, included, file } = parsePgHba(text, options);
    expect(problems).toEqual([]);
    expect(rules.map((rule) => `${rule.file}:${rule.line} ${formatRule(rule)}`)).toEqual([
      "/etc/pg/pg_hba.conf:1 local all all peer",
      "/etc/pg/extra.conf:1 host all all samenet md5",
      "/etc/pg/d/a.conf:1 local a all peer",
      "/etc/pg/d/b.conf:1 local b all peer",
      "/etc/pg/pg_hba.conf:4 local c all peer",
    ]);
    expect(renderPgHbaFile(file)).toBe(text);
    expect(included.map(({ name }) => name).sort()).toEqual([
      "/etc/pg/d/a.conf",
      "/etc/pg/d/b.conf",
      "/etc/pg/extra.conf",
    ]);
  });

  test("of names take the place of @file, and the line keeps what was written", () => {
    const { rules, file } = parsePgHba("local all @admins,+staff peer\n", options);
    expect(rules.map(({ users }) => users)).toEqual([["ada", "bob", '"cy d"', "+staff"]]);
    expect(file.lines.map(({ rule }) => rule?.users)).toEqual([["@admins", "+staff"]]);
  });

  test.each([
    [
      "include gone.conf",
      "file /etc/pg/gone.conf does not exist; create it, or write its contents here",
    ],
    ["include_dir gone", "folder /etc/pg/gone does not exist; create it, or remove the line"],
    [
      "local all @gone peer",
      "file /etc/pg/gone does not exist; create it, or write its contents here",
    ],
    [
      "include round.conf",
      "/etc/pg/round.conf is included more than 10 levels deep; remove the circular include",
    ],
    // Nobody is left in the list, so the next field takes its place, as in PostgreSQL.
    ["local all @nobody peer", "has no method; write scram-sha-256"],
  ])("%s: %s", (line, problem) => {
    const { problems, rules } = parsePgHba(`${line}\n`, options);
    expect(problems.map(({ text }) => text)).toEqual([problem]);
    expect(rules).toEqual([]);
  });

  test("cannot be included up to PostgreSQL 15", () => {
    const { problems } = parsePgHba("include extra.conf", { ...options, version: 15 });
    expect(problems.map(({ text }) => text)).toEqual([
      "include needs PostgreSQL 16, this is 15; write the rules here",
    ]);
  });
});
