import { quoteIdentifier as q } from "../base/sql";
import { superuser } from "./names";

/** Purpose of a role created by Stagecraft. It is stored by `COMMENT ON ROLE`, which distinguishes the role from all others. */
export const roleMarks = [
  "application",
  "owner",
  "readonly",
  "monitor",
  "group",
  "person",
] as const;
export type RoleMark = (typeof roleMarks)[number];

/** The comment of a role created by Stagecraft. */
export const roleComment = (mark: RoleMark): string => `stagecraft: ${mark}`;

/** The purpose of a role, from its comment; `undefined` for roles that Stagecraft did not create. */
export function readRoleComment(comment: string | null): RoleMark | undefined {
  return roleMarks.find((mark) => comment === roleComment(mark));
}

/** A membership of a role in another. */
export interface Membership {
  /** The role whose privileges the member gets. */
  readonly of: string;
  /** Whether the member has its privileges without `SET ROLE`. */
  readonly inherit: boolean;
}

/** A desired role. */
export interface DesiredRole {
  readonly name: string;
  readonly mark: RoleMark;
  /** Absent for a role that cannot log in, or keeps its current password. */
  readonly password?: string;
  readonly memberships: readonly Membership[];
}

/** An existing role. */
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
  /** The SCRAM verifier of its password. */
  readonly verifier: string | null;
  /** Its parameter settings, as `name=value`. */
  readonly settings: readonly string[] | null;
  readonly memberships: readonly FoundMembership[];
}

/** An existing membership. */
export interface FoundMembership extends Membership {
  readonly set: boolean;
  readonly admin: boolean;
  readonly grantor: string;
  /** Comment of the role that the member belongs to. */
  readonly ofComment: string | null;
}

/** A wrong attribute of a role. */
export interface RoleFault {
  /** Human-readable; follows the role's name. */
  readonly text: string;
  /** The clause of ALTER ROLE that corrects it. */
  readonly clause: string;
}

/** Whether roles of that purpose can log in. */
export function isLogin(mark: RoleMark): boolean {
  return mark !== "owner" && mark !== "group";
}

const readOnlySetting = "default_transaction_read_only=on";

/** The wrong attributes and parameter settings of a role. */
export function attributeFaults(found: FoundRole, mark: RoleMark, login: boolean): RoleFault[] {
  const isReadonly = mark === "readonly";
  const checks: [wrong: boolean, text: string, clause: string][] = [
    [found.superuser, "is a superuser", "NOSUPERUSER"],
    [found.createDatabases, "may create databases", "NOCREATEDB"],
    [found.createRoles, "may create roles", "NOCREATEROLE"],
    [found.replication, "may replicate", "NOREPLICATION"],
    [found.bypassRowSecurity, "bypasses row-level security", "NOBYPASSRLS"],
    [!found.inherit, "does not inherit privileges", "INHERIT"],
    [found.login && !login, "may log in", "NOLOGIN"],
    [!found.login && login, "may not log in", "LOGIN"],
    [found.connectionLimit !== -1, "has a connection limit", "CONNECTION LIMIT -1"],
    [found.expires, "has a password that expires", "VALID UNTIL 'infinity'"],
    [
      isReadonly && found.settings?.includes(readOnlySetting) !== true,
      "does not start read-only transactions",
      "SET default_transaction_read_only = on",
    ],
  ];
  return checks.flatMap(([wrong, text, clause]) => (wrong ? [{ text, clause }] : []));
}

/** Whether a role of that purpose may have a membership. */
function isAllowedMembership(mark: RoleMark, { of, ofComment }: FoundMembership): boolean {
  const ofMark = readRoleComment(ofComment);
  if (mark === "monitor") return of === "pg_monitor";
  if (mark === "person") return ofMark === "group";
  return mark === "group" && ofMark !== undefined && ofMark !== "group" && ofMark !== "person";
}

/** All faults of a role that are visible without knowing the declared roles, for a preview. */
export function visibleFaults(found: FoundRole, mark: RoleMark): string[] {
  // A user removed from the stack file keeps a role without login.
  const login = mark === "person" ? found.login : isLogin(mark);
  const unexpected = found.memberships.filter(
    (membership) => !isAllowedMembership(mark, membership),
  );
  return [
    ...attributeFaults(found, mark, login).map(({ text }) => text),
    ...unexpected.map(({ of }) => `is a member of ${of}`),
  ];
}

/** The statements that give a role exactly the desired memberships. */
export function membershipChanges(
  name: string,
  found: readonly FoundMembership[],
  desired: readonly Membership[],
): { readonly text: string; readonly statement: string }[] {
  const extra = found.filter(
    ({ of, grantor }) => grantor !== superuser || !desired.some((other) => other.of === of),
  );
  const missing = desired.filter(
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
    ...missing.map(({ of, inherit }) => ({
      text: `${name}: member of ${of}`,
      statement: `GRANT ${q(of)} TO ${q(name)} WITH ADMIN FALSE, INHERIT ${inherit ? "TRUE" : "FALSE"}, SET TRUE`,
    })),
  ];
}
