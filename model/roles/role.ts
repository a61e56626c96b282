import { quoteIdentifier as q, quoteLiteral, quoteParameter } from "../base/sql";
import { readRoleComment, type RoleMark } from "./mark";
import type { RecordedRole } from "./record";

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
  /** SHA-256 of the verifier. */
  readonly password: string | null;
  /** Its parameter settings, as `name=value`. */
  readonly settings: readonly string[] | null;
  /** Its parameter settings in single databases. */
  readonly databaseSettings: readonly {
    readonly database: string;
    readonly settings: readonly string[];
  }[];
  /** Parameters that it was granted to set or to change for the server. */
  readonly parameters: readonly string[];
  readonly memberships: readonly FoundMembership[];
  /** Its members, without superusers and Stagecraft's own roles. */
  readonly members: readonly FoundMember[];
}

/** An existing membership. */
export interface FoundMembership extends Membership {
  readonly set: boolean;
  readonly admin: boolean;
  readonly grantor: string;
  /** Whether a superuser granted it: PostgreSQL then records the bootstrap superuser as the grantor. */
  readonly bySuperuser: boolean;
  /** Comment of the role that the member belongs to. */
  readonly ofComment: string | null;
}

/** A member of a role. */
export interface FoundMember {
  readonly member: string;
  readonly grantor: string;
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

/** Fault of a role that should be able to log in. */
export const noLogin = "may not log in";

/** The wrong attributes and parameter settings of a role. @param settings The declared ones */
export function attributeFaults(
  found: FoundRole,
  settings: Readonly<Record<string, string>>,
  login: boolean,
): RoleFault[] {
  const checks: [wrong: boolean, text: string, clause: string][] = [
    [found.superuser, "is a superuser", "NOSUPERUSER"],
    [found.createDatabases, "may create databases", "NOCREATEDB"],
    [found.createRoles, "may create roles", "NOCREATEROLE"],
    [found.replication, "may replicate", "NOREPLICATION"],
    [found.bypassRowSecurity, "bypasses row-level security", "NOBYPASSRLS"],
    [!found.inherit, "does not inherit privileges", "INHERIT"],
    [found.login && !login, "may log in", "NOLOGIN"],
    [!found.login && login, noLogin, "LOGIN"],
    [found.verifier !== null && !login, "has a password", "PASSWORD NULL"],
    [found.connectionLimit !== -1, "has a connection limit", "CONNECTION LIMIT -1"],
    [found.expires, "has a password that expires", "VALID UNTIL 'infinity'"],
  ];
  return [
    ...checks.flatMap(([wrong, text, clause]) => (wrong ? [{ text, clause }] : [])),
    ...settingFaults(found, settings),
  ];
}

/** The wrong attributes of a role that is no longer declared: it has no login, so its parameters do not matter. */
export function removedFaults(found: FoundRole): RoleFault[] {
  return attributeFaults({ ...found, settings: null, databaseSettings: [] }, {}, false);
}

/** The differences between a role's parameter settings and the declared ones. */
export function settingFaults(
  found: Pick<FoundRole, "settings" | "databaseSettings">,
  declared: Readonly<Record<string, string>>,
): RoleFault[] {
  const settings = new Map((found.settings ?? []).map(splitSetting));
  const wrong = Object.entries(declared).flatMap(([name, value]) => {
    const current = settings.get(name);
    if (current === value) return [];
    const text =
      current === undefined
        ? `lacks the setting ${name} = ${value}`
        : `has the setting ${name} = ${current} instead of ${value}`;
    return [
      {
        text,
        clause: `SET ${quoteParameter(name)} = ${quoteLiteral(value)}`,
      },
    ];
  });
  const extra = [...settings.keys()].filter((name) => !Object.hasOwn(declared, name));
  return [
    ...wrong,
    // Values may be secret.
    ...extra.map((name) => ({
      text: `has a setting of ${name}`,
      clause: `RESET ${quoteParameter(name)}`,
    })),
    ...found.databaseSettings.flatMap(({ database, settings: inDatabase }) =>
      inDatabase.map(splitSetting).map(([name]) => ({
        text: `has a setting of ${name} in database ${database}`,
        clause: `IN DATABASE ${q(database)} RESET ${quoteParameter(name)}`,
      })),
    ),
  ];
}

/** Name and value of a setting, which PostgreSQL stores as `name=value`. */
export function splitSetting(setting: string): [name: string, value: string] {
  const at = setting.indexOf("=");
  return [setting.slice(0, at), setting.slice(at + 1)];
}

/** Whether a role of that purpose may have a membership, as far as that is visible without a record. */
function isAllowedMembership(mark: RoleMark, { of, ofComment }: FoundMembership): boolean {
  const ofMark = readRoleComment(ofComment);
  if (mark === "monitor") return of === "pg_monitor";
  if (mark === "person") return ofMark === "group";
  return mark === "group" && ofMark !== undefined && ofMark !== "group" && ofMark !== "person";
}

/**
 * All faults of a role that are visible without knowing the declared roles, for a preview.
 *
 * @param settings The declared parameter settings.
 * @param recorded What the last `up` applied: `null` for a role that it did not contain; `undefined` where that is not
 * known.
 */
export function visibleFaults(
  found: FoundRole,
  mark: RoleMark,
  settings: Readonly<Record<string, string>>,
  recorded?: RecordedRole | null,
): string[] {
  const isRemoved = recorded === null;
  // Without a record, a user without login may be one that was removed from the stack file.
  const login = mark === "person" && !recorded ? found.login : isLogin(mark);
  const attributes = isRemoved ? removedFaults(found) : attributeFaults(found, settings, login);
  return [
    ...attributes.map(({ text, clause }) =>
      isRemoved && clause === "NOLOGIN" ? `${text} but ${removedText(mark)}` : text,
    ),
    ...(recorded && login ? passwordFaults(found, recorded) : []),
    ...membershipFaults(found, mark, isRemoved ? { memberships: [] } : recorded),
    ...found.parameters.map((name) => `may set ${name}`),
    ...found.members.map(({ member }) => `has the member ${member}, which is not declared`),
  ];
}

/** Why a role with Stagecraft's comment has no login, to follow its name. */
export function removedText(mark: RoleMark): string {
  return mark === "person" ? "is not listed in people" : "belongs to no database of this server";
}

function passwordFaults(found: FoundRole, recorded: RecordedRole): string[] {
  if (found.password === recorded.password) return [];
  return [found.password === null ? "has no password" : "has a password that up did not set"];
}

function membershipFaults(
  { memberships }: FoundRole,
  mark: RoleMark,
  recorded: Pick<RecordedRole, "memberships"> | null | undefined,
): string[] {
  if (!recorded) {
    const unexpected = memberships.filter((membership) => !isAllowedMembership(mark, membership));
    return unexpected.map(({ of }) => `is a member of ${of}`);
  }
  const declared = recorded.memberships;
  const names = [...new Set([...memberships, ...declared].map(({ of }) => of))].sort();
  return names.flatMap((of) => {
    const found = memberships.filter((membership) => membership.of === of);
    const wanted = declared.find((membership) => membership.of === of);
    if (!wanted) return [`is a member of ${of}`];
    if (found.length === 0) return [`is not a member of ${of}`];
    return found.every((membership) => isAsDeclared(membership, wanted))
      ? []
      : [`is a member of ${of} with other options or by another grantor`];
  });
}

function isAsDeclared(found: FoundMembership, { inherit }: Membership): boolean {
  return found.bySuperuser && found.inherit === inherit && found.set && !found.admin;
}

/** A change of memberships or privileges on parameters. */
export interface GrantChange {
  readonly text: string;
  readonly statement: string;
  /** The role that loses a membership; its sessions may still use it. */
  readonly revokedFrom?: string;
}

/** The statements that give a role exactly the desired memberships. */
export function membershipChanges(
  name: string,
  found: readonly FoundMembership[],
  desired: readonly Membership[],
): GrantChange[] {
  const extra = found.filter(
    ({ of, bySuperuser }) => !bySuperuser || !desired.some((other) => other.of === of),
  );
  const missing = desired.filter(
    (membership) =>
      !found.some((other) => other.of === membership.of && isAsDeclared(other, membership)),
  );
  const admins = found.filter((membership) => membership.admin && !extra.includes(membership));
  return [
    ...extra.map(({ of, grantor }) => revocation(of, name, grantor)),
    // Before the grant, which fails while others have the membership from this role.
    ...admins.map(({ of, grantor }) => ({
      text: `${name}: may no longer grant ${of}`,
      statement: `REVOKE ADMIN OPTION FOR ${q(of)} FROM ${q(name)} GRANTED BY ${q(grantor)} CASCADE`,
    })),
    ...missing.map(({ of, inherit }) => ({
      text: `${name}: member of ${of}`,
      statement: `GRANT ${q(of)} TO ${q(name)} WITH ADMIN FALSE, INHERIT ${inherit ? "TRUE" : "FALSE"}, SET TRUE`,
    })),
  ];
}

/** The statements that remove the members of a role that are not declared, and its privileges on parameters. */
export function grantChanges({ name, members, parameters }: FoundRole): GrantChange[] {
  return [
    ...members.map(({ member, grantor }) => revocation(name, member, grantor)),
    ...parameters.map((parameter) => ({
      text: `${name}: may no longer set ${parameter}`,
      statement: `REVOKE ALL ON PARAMETER ${quoteParameter(parameter)} FROM ${q(name)} CASCADE`,
    })),
  ];
}

function revocation(of: string, member: string, grantor: string): GrantChange {
  return {
    text: `${member}: no longer a member of ${of}`,
    statement: `REVOKE ${q(of)} FROM ${q(member)} GRANTED BY ${q(grantor)} CASCADE`,
    revokedFrom: member,
  };
}

/** The faults of the bootstrap superuser, which has no password, no settings and no members. */
export function superuserFaults(found: FoundRole): RoleFault[] {
  return [
    ...(found.verifier === null ? [] : [{ text: "has a password", clause: "PASSWORD NULL" }]),
    ...settingFaults(found, {}),
  ];
}
