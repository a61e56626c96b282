import { describe, expect, test } from "vitest";
import { maxDatabaseNameBytes, stackKinds } from "../../../../model/base/names";
import { isRoleStatement } from "../../../../model/dump/role-statement";
import { describeStatement } from "../../../../model/dump/statement";
import { rolesDrift } from "../../../../model/roles/drift";
import { databaseRoleNames, personNameProblem } from "../../../../model/roles/names";
import { passwordSchema, preparedPassword } from "../../../../model/roles/password";
import {
  peopleWithLogin,
  peopleWithoutLogin,
  personRoleSchema,
} from "../../../../model/roles/people";
import { desiredRoles } from "../../../../model/roles/desired-roles";
import { rolesRequestSchema } from "../../../../model/roles/protocol";
import { allRights, renderChange } from "../../../../model/roles/rights";
import {
  attributeFaults,
  membershipChanges,
  visibleFaults,
  type FoundRole,
} from "../../../../model/roles/role";

const password = "long enough";
const database = { name: "shop", application: password, readonly: password };
const request = {
  server: "dev",
  kind: "development" as const,
  databases: [database],
  monitor: password,
  people: [
    { name: "ada", role: "DbAdmin" as const, password },
    { name: "bob", role: "Developer" as const, password },
  ],
};

const sound: FoundRole = {
  name: "shop",
  comment: "stagecraft: application",
  ...{ superuser: false, createDatabases: false, createRoles: false, replication: false },
  ...{ bypassRowSecurity: false, inherit: true, login: true, connectionLimit: -1, expires: false },
  ...{ verifier: null, settings: null, memberships: [] },
};

describe("names of roles", () => {
  test("follow from the database, and fit for the longest", () => {
    expect(databaseRoleNames("shop")).toEqual(["shop", "shop_owner", "shop_readonly"]);
    const longest = databaseRoleNames("ü".repeat(maxDatabaseNameBytes / 2)).map((name) =>
      Buffer.byteLength(name),
    );
    expect(Math.max(...longest)).toBeLessThanOrEqual(63);
  });

  test.each([
    ["ada", undefined],
    ["ada-l_2", undefined],
    [
      "Ada",
      "be up to 63 lowercase letters, digits, hyphens and underscores, starting with a letter",
    ],
    ["readonly", "not be readonly, which is reserved for a role with its own password"],
    ["shop_readonly", "not be the name of one of the database's roles"],
    ["postgres", "not be postgres, the superuser"],
    ["public", "not be public, which is reserved in PostgreSQL"],
    ["stagecraft_ada", 'not begin with "stagecraft_", which Stagecraft reserves for its own roles'],
  ])("of a person: %s", (name, problem) => {
    expect(personNameProblem(name, ["shop"])).toBe(problem);
  });

  test("of two roles are not the same", () => {
    const databases = [database, { ...database, name: "shop_owner" }];
    const { error } = rolesRequestSchema.safeParse({ ...request, databases });
    expect(error?.issues.map(({ message }) => message)).toEqual([
      "shop_owner would be the name of two roles; rename one of them",
    ]);
  });
});

describe("the roles of a server", () => {
  test("are those of its database, the monitor, and people in groups", () => {
    expect(desiredRoles(request)).toEqual([
      { name: "shop_owner", mark: "owner", memberships: [] },
      { name: "shop", mark: "application", memberships: [], password },
      { name: "shop_readonly", mark: "readonly", memberships: [], password },
      {
        ...{ name: "stagecraft_monitor", mark: "monitor", password },
        memberships: [{ of: "pg_monitor", inherit: true }],
      },
      {
        ...{ name: "stagecraft_dbadmin", mark: "group" },
        memberships: [
          { of: "shop_owner", inherit: false },
          { of: "stagecraft_monitor", inherit: true },
        ],
      },
      {
        ...{ name: "stagecraft_developer", mark: "group" },
        memberships: [{ of: "shop_owner", inherit: true }],
      },
      {
        ...{ name: "ada", mark: "person", password },
        memberships: [{ of: "stagecraft_dbadmin", inherit: true }],
      },
      {
        ...{ name: "bob", mark: "person", password },
        memberships: [{ of: "stagecraft_developer", inherit: true }],
      },
    ]);
  });

  test.each([
    ["dev", ["DbAdmin", "Developer", "Tester", "HelpDesk"]],
    ["staging", ["DbAdmin", "Developer", "Tester", "HelpDesk"]],
    ["prod", ["DbAdmin", "HelpDesk"]],
  ] as const)("on %s are logins for %j", (stack, roles) => {
    const everybody = Object.fromEntries(personRoleSchema.options.map((role) => [role, role]));
    expect(peopleWithLogin(stackKinds[stack], everybody)).toEqual(roles);
  });

  test("leave people without rights out, and say so", () => {
    expect(peopleWithoutLogin("production", { ada: "DbAdmin", bob: "Tester" })).toEqual([
      "bob gets no login: a Tester has no rights in the databases of a production server",
    ]);
  });
});

describe("what is wrong about a role", () => {
  test("is nothing when it is as it should be", () => {
    expect(visibleFaults(sound, "application")).toEqual([]);
  });

  test("is every attribute that differs, with the clause that mends it", () => {
    const drifted: FoundRole = {
      ...sound,
      ...{ superuser: true, createDatabases: true, createRoles: true, replication: true },
      ...{ bypassRowSecurity: true, inherit: false, login: false, connectionLimit: 3 },
      expires: true,
    };
    expect(attributeFaults(drifted, "readonly", true)).toEqual([
      { text: "is a superuser", clause: "NOSUPERUSER" },
      { text: "may create databases", clause: "NOCREATEDB" },
      { text: "may create roles", clause: "NOCREATEROLE" },
      { text: "may replicate", clause: "NOREPLICATION" },
      { text: "bypasses row-level security", clause: "NOBYPASSRLS" },
      { text: "does not inherit privileges", clause: "INHERIT" },
      { text: "may not log in", clause: "LOGIN" },
      { text: "has a connection limit", clause: "CONNECTION LIMIT -1" },
      { text: "has a password that expires", clause: "VALID UNTIL 'infinity'" },
      {
        text: "does not start read-only transactions",
        clause: "SET default_transaction_read_only = on",
      },
    ]);
    expect(attributeFaults(sound, "owner", false)).toEqual([
      { text: "may log in", clause: "NOLOGIN" },
    ]);
  });

  const membership = {
    of: "shop_owner",
    ...{ inherit: true, set: true, admin: false },
    ...{ grantor: "postgres", ofComment: "stagecraft: owner" },
  };

  test.each([
    ["application", membership, ["is a member of shop_owner"]],
    ["group", membership, []],
    ["person", membership, ["is a member of shop_owner"]],
    ["person", { ...membership, of: "g", ofComment: "stagecraft: group" }, []],
    ["monitor", { ...membership, of: "pg_monitor", ofComment: null }, []],
    [
      "readonly",
      { ...membership, of: "pg_monitor", ofComment: null },
      ["is a member of pg_monitor"],
    ],
  ] as const)("may be a membership: %s", (mark, found, faults) => {
    const settings = ["default_transaction_read_only=on"];
    const role = { ...sound, settings, login: mark !== "group", memberships: [found] };
    expect(visibleFaults(role, mark)).toEqual(faults);
  });

  test("memberships are given, taken and put right, each under its grantor", () => {
    const found = [
      membership,
      { ...membership, of: "gone", grantor: 'an "admin"' },
      { ...membership, of: "kept", inherit: false },
    ];
    const wanted = [
      { of: "kept", inherit: true },
      { of: "new", inherit: false },
    ];
    expect(membershipChanges("a", found, wanted).map(({ statement }) => statement)).toEqual([
      'REVOKE "shop_owner" FROM "a" GRANTED BY "postgres" CASCADE',
      'REVOKE "gone" FROM "a" GRANTED BY "an ""admin""" CASCADE',
      'GRANT "kept" TO "a" WITH ADMIN FALSE, INHERIT TRUE, SET TRUE',
      'GRANT "new" TO "a" WITH ADMIN FALSE, INHERIT FALSE, SET TRUE',
    ]);
    expect(membershipChanges("a", [membership], [{ of: "shop_owner", inherit: true }])).toEqual([]);
  });
});

describe("rights", () => {
  test("let the application write rows and the reader read them, and nobody else", () => {
    const onTables = allRights
      .filter((right) => right.class === "TABLE")
      .map(({ grantee, privilege }) => `${grantee} ${privilege}`);
    expect(onTables).toEqual([
      ...["SELECT", "INSERT", "UPDATE", "DELETE"].map((privilege) => `application ${privilege}`),
      "readonly SELECT",
    ]);
    expect(allRights.filter(({ grantee }) => grantee === "monitor")).toEqual([
      { class: "DATABASE", grantee: "monitor", privilege: "CONNECT", required: true },
    ]);
    expect(allRights.filter(({ grantee, required }) => grantee === "PUBLIC" && required)).toEqual(
      [],
    );
  });

  test("of many objects change by the thousand", () => {
    const names = Array.from({ length: 1_001 }, (_, i) => `public.t${i}`);
    const change = { verb: "GRANT", class: "TABLE", privileges: "SELECT", grantee: "a" } as const;
    const [first = "", second, ...more] = renderChange({ ...change, names }, "o");
    expect(first.startsWith("GRANT SELECT ON TABLE public.t0, public.t1, ")).toBe(true);
    expect(second).toBe("GRANT SELECT ON TABLE public.t1000 TO a");
    expect(more).toEqual([]);
  });

  test("are taken together with what was made of them, and from defaults", () => {
    const revoke = { verb: "REVOKE", privileges: "INSERT, UPDATE", grantee: "PUBLIC" } as const;
    expect(renderChange({ ...revoke, class: "SEQUENCE", names: ['public."S"'] }, "o")).toEqual([
      `REVOKE INSERT, UPDATE ON SEQUENCE public."S" FROM PUBLIC CASCADE`,
    ]);
    expect(
      renderChange({ ...revoke, class: "default TABLES", names: ["", "IN SCHEMA x"] }, "o"),
    ).toEqual([
      'ALTER DEFAULT PRIVILEGES FOR ROLE "o" REVOKE INSERT, UPDATE ON TABLES FROM PUBLIC',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "o" IN SCHEMA x REVOKE INSERT, UPDATE ON TABLES FROM PUBLIC',
    ]);
  });
});

describe("drift", () => {
  test("is nothing when all is as it should be", () => {
    const none = { faults: [], missing: [], superusers: [], rights: [], logins: ["shop", "ada"] };
    expect(rolesDrift(none, ["ada"])).toEqual([]);
  });

  test("is told in sentences", () => {
    const seen = {
      faults: [{ role: "shop", faults: ["is a superuser", "may replicate"] }],
      missing: ["shop_readonly"],
      superusers: ['an "admin"'],
      rights: ["shop", "postgres"],
      logins: ["shop"],
    };
    expect(rolesDrift(seen, ["ada"])).toEqual([
      "role shop is a superuser; up corrects it",
      "role shop may replicate; up corrects it",
      "role shop_readonly is missing; up recreates it",
      "role ada is missing or may not log in; up corrects it",
      "privileges in shop differ from the declared ones; up corrects them",
      "privileges in postgres differ from the declared ones; up corrects them",
      'role an "admin" is a superuser that Stagecraft does not manage; to change that: ALTER ROLE "an ""admin""" NOSUPERUSER',
    ]);
  });
});

describe("a password", () => {
  test.each([
    [
      "plain ASCII, as it is",
      " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
      " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    ],
    ["composed", "u\u0308ber alles", "über alles"],
    ["with half a pound", "½ Pfund Butter", "1⁄2 Pfund Butter"],
    ["with spaces of all kinds", "a\u00a0b\u3000c\u2003d efgh", "a b c d efgh"],
    ["with what nobody sees", "soft\u00adhyphen", "softhyphen"],
    ["wide", "ＷＩＤＥ　ｌｅｔｔｅｒｓ", "WIDE letters"],
    ["of emoji, which SASLprep does not know", "🔑🔑🔑🔑🔑🔑🔑🔑", "🔑🔑🔑🔑🔑🔑🔑🔑"],
    ["from right to left", "סיסמה ארוכה", "סיסמה ארוכה"],
  ])("is prepared as libpq does it: %s", (_, given, prepared) => {
    expect(preparedPassword(given)).toBe(prepared);
    expect(passwordSchema.safeParse(given).success).toBe(true);
  });

  test.each([
    ["short", "must have at least 8 characters"],
    ["with a\nline break", "must not contain control characters"],
    [
      "half ½ and a key 🔑",
      "mixes characters that have several encodings (such as ½, ﬁ or a variation selector) with recent or right-to-left ones, which clients normalize differently; leave one kind out",
    ],
  ])("is refused: %j", (given, problem) => {
    expect(passwordSchema.safeParse(given).error?.issues[0]?.message).toBe(problem);
  });
});

describe("a statement of a dump is about roles", () => {
  test.each([
    "CREATE ROLE a LOGIN PASSWORD 'x'",
    "create user a",
    "CREATE GROUP a",
    "ALTER ROLE a SUPERUSER",
    "ALTER USER a IN DATABASE b SET c = 1",
    "DROP ROLE IF EXISTS a",
    "COMMENT ON ROLE a IS 'b'",
    "GRANT a TO b",
    "GRANT a, b TO c WITH ADMIN OPTION GRANTED BY d",
    "REVOKE ADMIN OPTION FOR a FROM b",
  ])("%s", (sql) => {
    expect(isRoleStatement(describeStatement(sql))).toBe(true);
  });

  test.each([
    "GRANT SELECT ON TABLE a TO b",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT SELECT(id) ON TABLE public.a TO b",
    "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b",
    "CREATE USER MAPPING FOR a SERVER s",
    "ALTER USER MAPPING FOR a SERVER s OPTIONS (SET x 'y')",
    "CREATE TABLE role (id int)",
    `COMMENT ON TABLE "ROLE a" IS 'ROLE'`,
    "ALTER TABLE a OWNER TO b",
    "SET SESSION AUTHORIZATION a",
  ])("but not: %s", (sql) => {
    expect(isRoleStatement(describeStatement(sql))).toBe(false);
  });
});
