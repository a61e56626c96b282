/** Names of roles: also keywords, and what a file must quote. */
export const names = [
  ...["app", "App", "a", "ab", "xx", "staff", "admins", "two words", "x".repeat(63)],
  ...["all", "replication", "sameuser", "samerole", "samehost"],
  ...["com,ma", 'quo"te', '"', "#hash", "@at", "+plus", "/slash", "back\\slash", "ümlaut", "a=b"],
];

/** Names of databases; they need not exist to be asked for. */
export const databases = [...names, "elsewhere"];

/** Roles by the role that is a direct member of them. */
export const memberships: Readonly<Record<string, readonly string[]>> = {
  app: ["staff"],
  App: ["admins"],
  admins: ["staff", "two words"],
  "two words": ["+plus"],
  ab: ["all"],
  ümlaut: ["com,ma"],
};

/** SQL that makes the roles, and a superuser who is a member of none. */
export const rolesSql = [
  ...names.map((name) => `CREATE ROLE ${quoted(name)} LOGIN;`),
  ...Object.entries(memberships).flatMap(([member, groups]) =>
    // Whether a member inherits rights is no matter of pg_hba.conf.
    groups.map((group) => `GRANT ${quoted(group)} TO ${quoted(member)} WITH INHERIT FALSE;`),
  ),
  "CREATE ROLE root LOGIN SUPERUSER;",
].join("\n");

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
