import { describe, expect, test } from "vitest";
import { maxDatabaseNameBytes, stackKinds } from "../../../../model/base/names";
import { isRoleStatement } from "../../../../model/dump/role-statement";
import { describeStatement } from "../../../../model/dump/statement";
import { areRolesUpToDate, removedUsers, rolesDrift } from "../../../../model/roles/drift";
import { describeDifference } from "../../../../model/roles/rights";
import { isSettingDrift, resetStatement } from "../../../../model/roles/database-settings";
import {
  databaseRoleNames,
  isTemporaryRole,
  personNameProblem,
} from "../../../../model/roles/names";
import { passwordSchema, preparedPassword } from "../../../../model/roles/password";
import {
  peopleWithLogin,
  peopleWithoutLogin,
  personRoleSchema,
} from "../../../../model/roles/people";
import { desiredRoles } from "../../../../model/roles/desired-roles";
import { rolesRequestSchema } from "../../../../model/roles/protocol";
import { allRights, renderChange } from "../../../../model/roles/rights";
import { roleSettings } from "../../../../model/roles/role-settings";
import { desiredRecord, isRemovedRole } from "../../../../model/roles/recorded-roles";
import {
  attributeFaults,
  grantChanges,
  membershipChanges,
  settingFaults,
  superuserFaults,
  visibleFaults,
  type FoundMembership,
  type FoundRole,
} from "../../../../model/roles/role";
import { strangerOf } from "../../../../model/roles/stranger";

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

const otherOptions = "is a member of g with other options or by another grantor";

const sound: FoundRole = {
  name: "shop",
  comment: "stagecraft: application",
  ...{ superuser: false, createDatabases: false, createRoles: false, replication: false },
  ...{ bypassRowSecurity: false, inherit: true, login: true, connectionLimit: -1, expires: false },
  ...{ verifier: null, password: null, settings: null, databaseSettings: [] },
  ...{ parameters: [], memberships: [], members: [] },
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
    expect(visibleFaults(sound, "application", {})).toEqual([]);
  });

  test("is every attribute that differs, with the clause that mends it", () => {
    const drifted: FoundRole = {
      ...sound,
      ...{ superuser: true, createDatabases: true, createRoles: true, replication: true },
      ...{ bypassRowSecurity: true, inherit: false, login: false, connectionLimit: 3 },
      expires: true,
    };
    expect(attributeFaults(drifted, roleSettings.readonly, true)).toEqual([
      { text: "is a superuser", clause: "NOSUPERUSER" },
      { text: "may create databases", clause: "NOCREATEDB" },
      { text: "may create roles", clause: "NOCREATEROLE" },
      { text: "may replicate", clause: "NOREPLICATION" },
      { text: "bypasses row-level security", clause: "NOBYPASSRLS" },
      { text: "does not inherit privileges", clause: "INHERIT" },
      { text: "may not log in", clause: "LOGIN" },
      { text: "has a connection limit", clause: "CONNECTION LIMIT -1" },
      { text: "has a password that expires", clause: "VALID UNTIL 'infinity'" },
      ...Object.entries(roleSettings.readonly).map(([name, value]) => ({
        text: `lacks the setting ${name} = ${value}`,
        clause: `SET "${name}" = '${value}'`,
      })),
    ]);
    expect(roleSettings.readonly).toMatchObject({ default_transaction_read_only: "on" });
    expect(attributeFaults(sound, {}, false)).toEqual([{ text: "may log in", clause: "NOLOGIN" }]);
  });

  const membership = {
    of: "shop_owner",
    ...{ inherit: true, set: true, admin: false },
    ...{ grantor: "postgres", bySuperuser: true, ofComment: "stagecraft: owner" },
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
    const role = { ...sound, login: mark !== "group", memberships: [found] };
    expect(visibleFaults(role, mark, {})).toEqual(faults);
  });

  test("memberships are given, taken and put right, each under its grantor", () => {
    const found = [
      membership,
      { ...membership, of: "gone", grantor: 'an "admin"', bySuperuser: false },
      { ...membership, of: "kept", inherit: false, admin: true },
    ];
    const wanted = [
      { of: "kept", inherit: true },
      { of: "new", inherit: false },
    ];
    expect(membershipChanges("a", found, wanted).map(({ statement }) => statement)).toEqual([
      'REVOKE "shop_owner" FROM "a" GRANTED BY "postgres" CASCADE',
      'REVOKE "gone" FROM "a" GRANTED BY "an ""admin""" CASCADE',
      'REVOKE ADMIN OPTION FOR "kept" FROM "a" GRANTED BY "postgres" CASCADE',
      'GRANT "kept" TO "a" WITH ADMIN FALSE, INHERIT TRUE, SET TRUE',
      'GRANT "new" TO "a" WITH ADMIN FALSE, INHERIT FALSE, SET TRUE',
    ]);
    expect(membershipChanges("a", [membership], [{ of: "shop_owner", inherit: true }])).toEqual([]);
  });
});

describe("against what the last up applied", () => {
  const digest = (letter: string): string => letter.repeat(64);
  const mine = { ...sound, verifier: "SCRAM", password: digest("a") };
  const recorded = { password: digest("a"), memberships: [{ of: "g", inherit: true }] };
  const inGroup: FoundMembership = {
    of: "g",
    ...{ inherit: true, set: true, admin: false },
    ...{ grantor: "postgres", bySuperuser: true, ofComment: "stagecraft: group" },
  };
  const ada = { ...mine, name: "ada", comment: "stagecraft: person", memberships: [inGroup] };

  test("a role as it was left has no fault", () => {
    expect(visibleFaults(ada, "person", {}, recorded)).toEqual([]);
  });

  test.each<[string, Partial<FoundRole>, string]>([
    ["a password set by somebody", { password: digest("b") }, "has a password that up did not set"],
    ["none", { password: null, verifier: null }, "has no password"],
    ["a login taken away", { login: false }, "may not log in"],
    ["a group left", { memberships: [] }, "is not a member of g"],
    ["an option more", { memberships: [{ ...inGroup, admin: true }] }, otherOptions],
    ["an option less", { memberships: [{ ...inGroup, set: false }] }, otherOptions],
    ["another grantor", { memberships: [{ ...inGroup, bySuperuser: false }] }, otherOptions],
    ["another group", { memberships: [inGroup, { ...inGroup, of: "h" }] }, "is a member of h"],
    [
      "a member",
      { members: [{ member: "erin", grantor: "postgres" }] },
      "has the member erin, which is not declared",
    ],
    ["a setting", { settings: ["search_path=evil"] }, "has a setting of search_path"],
    [
      "a setting in a database",
      { databaseSettings: [{ database: "shop", settings: ["app.key=it's = secret"] }] },
      "has a setting of app.key in database shop",
    ],
    ["a privilege on a parameter", { parameters: ["log_statement"] }, "may set log_statement"],
  ])("is seen: %s", (_, change, fault) => {
    expect(visibleFaults({ ...ada, ...change }, "person", {}, recorded)).toEqual([fault]);
  });

  test("a user that was removed may not come in again", () => {
    expect(visibleFaults(ada, "person", {}, null)).toEqual([
      "may log in but is not listed in people",
      "has a password",
      "is a member of g",
    ]);
    const removed = { ...ada, login: false, verifier: null, password: null, memberships: [] };
    expect(visibleFaults(removed, "person", {}, null)).toEqual([]);
    // Without a record nobody knows.
    expect(visibleFaults(ada, "person", {})).toEqual([]);
  });

  test("a role that only has the comment of one of ours is none", () => {
    expect(visibleFaults(mine, "application", {}, null)).toEqual([
      "may log in but belongs to no database of this server",
      "has a password",
    ]);
  });

  test("settings are corrected one by one, values quoted, parameters of extensions too", () => {
    const found = {
      settings: ["default_transaction_read_only=off", 'app."x=1'],
      databaseSettings: [{ database: 'the "shop"', settings: ["work_mem=1GB"] }],
    };
    expect(settingFaults(found, { default_transaction_read_only: "on", a: "it's" })).toEqual([
      {
        text: "has the setting default_transaction_read_only = off instead of on",
        clause: `SET "default_transaction_read_only" = 'on'`,
      },
      { text: "lacks the setting a = it's", clause: `SET "a" = 'it''s'` },
      { text: 'has a setting of app."x', clause: 'RESET "app"."""x"' },
      {
        text: 'has a setting of work_mem in database the "shop"',
        clause: 'IN DATABASE "the ""shop""" RESET "work_mem"',
      },
    ]);
  });

  test("strangers in a role are removed from it, and lose their sessions", () => {
    const role = {
      ...sound,
      ...{ name: "shop_owner", parameters: ["session_preload_libraries"] },
      members: [{ member: 'e"rin', grantor: "boss" }],
    };
    expect(grantChanges(role)).toEqual([
      {
        text: 'e"rin: no longer a member of shop_owner',
        statement: 'REVOKE "shop_owner" FROM "e""rin" GRANTED BY "boss" CASCADE',
        revokedFrom: 'e"rin',
      },
      {
        text: "shop_owner: may no longer set session_preload_libraries",
        statement: 'REVOKE ALL ON PARAMETER "session_preload_libraries" FROM "shop_owner" CASCADE',
      },
    ]);
  });

  test("the superuser has no password and no settings", () => {
    expect(superuserFaults({ ...sound, login: true, superuser: true })).toEqual([]);
    expect(superuserFaults({ ...mine, settings: ["search_path=evil"] })).toEqual([
      { text: "has a password", clause: "PASSWORD NULL" },
      { text: "has a setting of search_path", clause: 'RESET "search_path"' },
    ]);
  });

  test("what is remembered is what was declared, with what PostgreSQL stores; other databases stay", () => {
    const record = {
      roles: {
        wiki: { password: digest("c"), memberships: [] },
        gone: { password: digest("d"), memberships: [] },
        bob: { password: digest("e"), memberships: [] },
      },
    };
    const found = new Map([
      ["ada", ada],
      ["wiki", { ...sound, name: "wiki" }],
      ["bob", { ...ada, name: "bob" }],
    ]);
    const desired = [{ name: "ada", mark: "person" as const, memberships: recorded.memberships }];
    expect(desiredRecord(desired, found, record)).toEqual({
      roles: { wiki: record.roles.wiki, ada: recorded },
    });
    expect(isRemovedRole("bob", "person", { roles: {} }, [])).toBe(true);
    expect(isRemovedRole("bob", "person", undefined, [])).toBe(false);
    expect(isRemovedRole("shop_owner", "owner", { roles: {} }, ["shop"])).toBe(false);
    expect(isRemovedRole("evil", "application", { roles: {} }, ["shop"])).toBe(true);
    expect(isRemovedRole("evil", "application", undefined, ["shop"])).toBe(true);
    expect(isRemovedRole("evil", "application", record, [])).toBe(true);
    expect(isRemovedRole("wiki", "application", record, [])).toBe(false);
    expect(isRemovedRole("stagecraft_monitor", "monitor", undefined, [])).toBe(false);
  });
});

describe("a role that Stagecraft did not create", () => {
  const nobody = {
    ...{ role: "erin", login: false, createRoles: false, createDatabases: false },
    ...{ replication: false, bypassRowSecurity: false, memberships: [], parameters: [] },
  };
  const monitor = { of: "pg_monitor", grantor: "postgres" };
  const reader = { of: "pg_read_all_data", grantor: "postgres" };

  test("is not mentioned while it can do nothing but own objects", () => {
    expect(strangerOf(nobody, { shop: 3 }, false)).toBeUndefined();
  });

  test("is named with all it can do, and the statements that change it", () => {
    const erin = {
      ...nobody,
      ...{ login: true, createRoles: true, createDatabases: true, replication: true },
      ...{ bypassRowSecurity: true, memberships: [monitor], parameters: ["log_statement"] },
    };
    expect(strangerOf(erin, { shop: 3 }, false)).toEqual({
      role: "erin",
      faults: [
        ...["may log in", "may create roles", "may create databases", "may replicate"],
        ...["bypasses row-level security", "is a member of pg_monitor", "may set log_statement"],
        "owns objects in shop",
      ],
      statements: [
        'ALTER ROLE "erin" NOLOGIN NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS',
        'REVOKE "pg_monitor" FROM "erin" GRANTED BY "postgres" CASCADE',
        'REVOKE ALL ON PARAMETER "log_statement" FROM "erin"',
        'REASSIGN OWNED BY "erin" TO "shop_owner" (in shop)',
      ],
    });
  });

  test("may log in on an external server, but not read everything", () => {
    const erin = { ...nobody, login: true, createDatabases: true, memberships: [monitor] };
    expect(strangerOf(erin, {}, true)).toBeUndefined();
    expect(strangerOf({ ...erin, memberships: [monitor, reader] }, {}, true)?.faults).toEqual([
      "is a member of pg_read_all_data",
    ]);
    const superuserMember = { ...erin, memberships: [{ of: "boss", grantor: "boss" }] };
    expect(strangerOf(superuserMember, {}, true)?.faults).toEqual(["is a member of boss"]);
  });

  test.each([
    ["stagecraft_restore", true],
    ["stagecraft_session_shop", true],
    ["stagecraft_sessions", false],
    ["stagecraft_dbadmin", false],
  ])("unless it is one of the time of a restore: %s", (name, temporary) => {
    expect(isTemporaryRole(name)).toBe(temporary);
  });
});

describe("parameters of databases", () => {
  const setting = { database: "shop", name: "search_path", value: "public", superuserOnly: false };

  test.each([
    ["default_transaction_read_only", "on", true],
    ["Default_Transaction_Read_Only", "TRUE", true],
    ["default_transaction_read_only", "off", false],
    ["default_transaction_read_only", "f", false],
    ["role", "shop_owner", true],
    ["statement_timeout", "1ms", true],
    ["lock_timeout", "99", true],
    ["idle_session_timeout", "0.05 s", true],
    ["statement_timeout", "0", false],
    ["statement_timeout", "90 s", false],
    ["lock_timeout", "500ms", false],
    ["TimeZone", "Europe/Berlin", false],
  ])("are corrected when the application cannot work with them: %s = %s", (name, value, drift) => {
    expect(isSettingDrift({ ...setting, name, value })).toBe(drift);
  });

  test("are the owner's, except those that only a superuser may set", () => {
    expect(isSettingDrift(setting)).toBe(false);
    expect(isSettingDrift({ ...setting, superuserOnly: true })).toBe(true);
    expect(isSettingDrift({ ...setting, database: null })).toBe(true);
    expect(resetStatement({ ...setting, name: "app.x" })).toBe(
      'ALTER DATABASE "shop" RESET "app"."x"',
    );
    expect(resetStatement({ ...setting, database: null })).toBe(
      'ALTER ROLE ALL RESET "search_path"',
    );
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
  test("is nothing when all is as it should be, and then the roles are up to date", () => {
    const none = { faults: [], missing: [], superusers: [], rights: [], logins: ["shop", "ada"] };
    expect(rolesDrift(none, ["ada"])).toEqual([]);
    expect(areRolesUpToDate({ ...none, recorded: true }, ["ada"])).toBe(true);
    expect(areRolesUpToDate({ ...none, recorded: true }, ["ada", "bob"])).toBe(false);
    // An agent that remembers nothing yet.
    expect(areRolesUpToDate(none, ["ada"])).toBe(false);
  });

  test("of users who were removed is told before up disables their logins", () => {
    const logins = ["shop", "shop_readonly", "stagecraft_monitor", "ada", "henry"];
    const seen = { faults: [], missing: [], superusers: [], rights: [], logins };
    expect(removedUsers(seen, ["ada"])).toEqual([
      "henry is not in people; up disables the login and ends the sessions",
    ]);
  });

  test("of privileges is told with what differs", () => {
    const texts = ["a", "b", "c", "d", "e", "f", "g"].map(
      (name) => `shop lacks SELECT on table ${name}`,
    );
    const seen = {
      ...{ faults: [], missing: [], superusers: [], rights: ["shop"], logins: [] },
      differences: [{ database: "shop", texts }],
    };
    expect(rolesDrift(seen, [])).toEqual([
      `privileges in shop differ from the declared ones: ${texts.slice(0, 5).join(", ")} and 2 more; up corrects them`,
    ]);
    expect(
      describeDifference({
        ...{ verb: "REVOKE", class: "TABLE", privileges: "INSERT, SELECT", grantee: '"Bob"' },
        names: ["public.a", "public.b", "public.c", "public.d"],
      }),
    ).toBe("Bob also has INSERT, SELECT on table public.a, public.b, public.c and 1 more");
    expect(
      describeDifference({
        ...{ verb: "GRANT", class: "default TABLES", privileges: "SELECT", grantee: "shop" },
        names: [""],
      }),
    ).toBe("shop lacks SELECT on future tables");
  });

  test("of roles of others is no reason for another up", () => {
    const seen = {
      ...{ faults: [], missing: [], superusers: ["eve"], rights: [], logins: [], recorded: true },
      strangers: [{ role: "erin", faults: ["may log in"], statements: ["ALTER …"] }],
    };
    expect(rolesDrift(seen, [])).toHaveLength(2);
    expect(areRolesUpToDate(seen, [])).toBe(true);
  });

  test("is told in sentences", () => {
    const seen = {
      faults: [{ role: "shop", faults: ["is a superuser", "may replicate"] }],
      missing: ["shop_readonly"],
      superusers: ['an "admin"'],
      rights: ["shop", "postgres"],
      logins: ["shop"],
      recorded: false,
      databases: [{ database: "shop", faults: ["belongs to shop instead of shop_owner"] }],
      strangers: [
        {
          role: "erin",
          faults: ["may log in", "may create roles", "is a member of pg_monitor"],
          statements: ['ALTER ROLE "erin" NOLOGIN NOCREATEROLE', 'REVOKE "pg_monitor" FROM "erin"'],
        },
      ],
    };
    expect(rolesDrift(seen, ["ada"])).toEqual([
      "role shop is a superuser; up corrects it",
      "role shop may replicate; up corrects it",
      "role shop_readonly is missing; up recreates it",
      "role ada is missing or may not log in; up corrects it",
      "privileges in shop differ from the declared ones; up corrects them",
      "privileges in postgres differ from the declared ones; up corrects them",
      "database shop belongs to shop instead of shop_owner; up corrects it",
      "the agent does not remember which passwords and memberships up has set, so changes of them are not detected; up corrects it",
      'role an "admin" is a superuser that Stagecraft does not manage; to change that: ALTER ROLE "an ""admin""" NOSUPERUSER',
      'role erin, which Stagecraft does not manage, may log in, may create roles and is a member of pg_monitor; to change that: ALTER ROLE "erin" NOLOGIN NOCREATEROLE; REVOKE "pg_monitor" FROM "erin"',
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
