import { quoteIdentifier as q } from "../base/sql";
import { superuser } from "./names";

/** What a role of ours is for. It is written on the role by `COMMENT ON ROLE`, so that no other role is ever taken for ours. */
export const roleMarks = [
  "application",
  "owner",
  "readonly",
  "monitor",
  "group",
  "person",
] as const;
export type RoleMark = (typeof roleMarks)[number];

/** The comment on a role of ours. */
export const roleComment = (mark: RoleMark): string => `stagecraft: ${mark}`;

/** What a role of ours is for, by its comment; `undefined` for the roles of others. */
export function readRoleComment(comment: string | null): RoleMark | undefined {
  return roleMarks.find((mark) => comment === roleComment(mark));
}

/** A membership of a role in another. */
export interface Membership {
  /** The role whose rights the member gets. */
  readonly of: string;
  /** Whether it has them without `SET ROLE`. */
  readonly inherit: boolean;
}

/** A role as it should be. */
export interface DesiredRole {
  readonly name: string;
  readonly mark: RoleMark;
  /** Absent for a role that cannot log in, or that keeps the password it has. */
  readonly password?: string;
  readonly memberships: readonly Membership[];
}

/** A role as it is. */
export interface FoundRole {
  readonly name: string;
  readonly comment: string | null;
  readonly superuser: boolean;
  readonly createDatabases: boolean;
  readonly createRoles: boolean;
  readonly replication: boolean;
  readonly bypassRowSecurity: boolean;
  readonly inherit: boolean;
  readonly login: boolean;
  readonly connectionLimit: number;
  readonly expires: boolean;
  /** What PostgreSQL keeps of its password. */
  readonly verifier: string | null;
  /** Its settings, as `name=value`. */
  readonly settings: readonly string[] | null;
  readonly memberships: readonly FoundMembership[];
}

/** A membership as it is. */
export interface FoundMembership extends Membership {
  readonly set: boolean;
  readonly admin: boolean;
  readonly grantor: string;
  /** What the role is for that the member belongs to, when it is ours. */
  readonly ofComment: string | null;
}

/** Something about a role that is not as it should be. */
export interface RoleFault {
  /** For people; the role's name comes before it. */
  readonly text: string;
  /** The clause of ALTER ROLE that mends it. */
  readonly clause: string;
}

/** Whether a role logs in by its nature. */
export function isLogin(mark: RoleMark): boolean {
  return mark !== "owner" && mark !== "group";
}

const readOnlySetting = "default_transaction_read_only=on";

/** What is wrong about a role's attributes and settings. */
export function attributeFaults(found: FoundRole, mark: RoleMark, login: boolean): RoleFault[] {
  const isReadonly = mark === "readonly";
  const checks: [wrong: boolean, text: string, clause: string][] = [
    [found.superuser, "is a superuser", "NOSUPERUSER"],
    [found.createDatabases, "may create databases", "NOCREATEDB"],
    [found.createRoles, "may create roles", "NOCREATEROLE"],
    [found.replication, "may replicate", "NOREPLICATION"],
    [found.bypassRowSecurity, "passes by row security", "NOBYPASSRLS"],
    [!found.inherit, "does not inherit", "INHERIT"],
    [found.login && !login, "may log in", "NOLOGIN"],
    [!found.login && login, "may not log in", "LOGIN"],
    [found.connectionLimit !== -1, "has a connection limit", "CONNECTION LIMIT -1"],
    [found.expires, "has a password that expires", "VALID UNTIL 'infinity'"],
    [
      isReadonly && found.settings?.includes(readOnlySetting) !== true,
      "does not begin read-only transactions",
      "SET default_transaction_read_only = on",
    ],
  ];
  return checks.flatMap(([wrong, text, clause]) => (wrong ? [{ text, clause }] : []));
}

/** Which roles a role of ours may be a member of. */
function mayBelong(mark: RoleMark, { of, ofComment }: FoundMembership): boolean {
  const ofMark = readRoleComment(ofComment);
  if (mark === "monitor") return of === "pg_monitor";
  if (mark === "person") return ofMark === "group";
  return mark === "group" && ofMark !== undefined && ofMark !== "group" && ofMark !== "person";
}

/** All that is wrong about a role of ours as far as the role itself shows it, for a preview. */
export function visibleFaults(found: FoundRole, mark: RoleMark): string[] {
  // A person who was taken out of the list keeps a role without login.
  const login = mark === "person" ? found.login : isLogin(mark);
  const strange = found.memberships.filter((membership) => !mayBelong(mark, membership));
  return [
    ...attributeFaults(found, mark, login).map(({ text }) => text),
    ...strange.map(({ of }) => `is a member of ${of}`),
  ];
}

/** The statements that give a role exactly the memberships it should have. */
export function membershipChanges(
  name: string,
  found: readonly FoundMembership[],
  wanted: readonly Membership[],
): { readonly text: string; readonly statement: string }[] {
  const extra = found.filter(
    ({ of, grantor }) => grantor !== superuser || !wanted.some((other) => other.of === of),
  );
  const lacking = wanted.filter(
    ({ of, inherit }) =>
      !found.some(
        (other) =>
          other.of === of &&
          other.grantor === superuser &&
          other.inherit === inherit &&
          other.set &&
          !other.admin,
      ),
  );
  return [
    ...extra.map(({ of, grantor }) => ({
      text: `${name}: no longer a member of ${of}`,
      statement: `REVOKE ${q(of)} FROM ${q(name)} GRANTED BY ${q(grantor)} CASCADE`,
    })),
    ...lacking.map(({ of, inherit }) => ({
      text: `${name}: member of ${of}`,
      statement: `GRANT ${q(of)} TO ${q(name)} WITH ADMIN FALSE, INHERIT ${inherit ? "TRUE" : "FALSE"}, SET TRUE`,
    })),
  ];
}
