import { SqlReader } from "../dump/sql-reader";
import { quoteIdentifier as q, unquoteIdentifier } from "../base/sql";

/** Attributes of a role that give rights beyond its objects, as `pg_dumpall` writes them. */
const attributes = [
  "SUPERUSER",
  "CREATEROLE",
  "CREATEDB",
  "LOGIN",
  "REPLICATION",
  "BYPASSRLS",
] as const;
export type RoleAttribute = (typeof attributes)[number];

/** A role in the `globals.sql` of a backup. */
export interface GlobalRole {
  readonly name: string;
  /** The attributes that it has. */
  readonly attributes: readonly RoleAttribute[];
  /** Its comment; Stagecraft's own roles begin with `stagecraft: `. */
  readonly comment: string | null;
  /** The roles that it is a member of. */
  readonly memberOf: readonly string[];
  /** Its parameters, as the statements that set them. */
  readonly settings: readonly string[];
}

const identifier = String.raw`("(?:[^"]|"")+"|[^\s";,]+)`;
const createRole = new RegExp(`^CREATE ROLE ${identifier}$`, "s");
const alterRole = new RegExp(`^ALTER ROLE ${identifier} WITH (.*)$`, "s");
const setRole = new RegExp(`^ALTER ROLE ${identifier} SET (.*)$`, "s");
const commentRole = new RegExp(`^COMMENT ON ROLE ${identifier} IS E?'(.*)'$`, "s");
const grantRole = new RegExp(`^GRANT ${identifier} TO ${identifier}(?: .*)?$`, "s");

interface ReadRole {
  attributes: RoleAttribute[];
  comment: string | null;
  memberOf: string[];
  settings: string[];
}

/** Reads the roles in the output of `pg_dumpall --globals-only`; statements of another form are left out. */
export function readGlobals(text: string): GlobalRole[] {
  const roles = new Map<string, ReadRole>();
  const roleOf = (name: string): ReadRole => {
    const found = roles.get(name) ?? { attributes: [], comment: null, memberOf: [], settings: [] };
    roles.set(name, found);
    return found;
  };
  for (const statement of statementsOf(text)) {
    const create = createRole.exec(statement);
    if (create) roleOf(unquoteIdentifier(create[1] ?? ""));
    const alter = alterRole.exec(statement);
    if (alter) roleOf(unquoteIdentifier(alter[1] ?? "")).attributes = attributesIn(alter[2] ?? "");
    const set = setRole.exec(statement);
    if (set) roleOf(unquoteIdentifier(set[1] ?? "")).settings.push(statement);
    const comment = commentRole.exec(statement);
    if (comment) roleOf(unquoteIdentifier(comment[1] ?? "")).comment = comment[2] ?? "";
    const grant = grantRole.exec(statement);
    if (grant)
      roleOf(unquoteIdentifier(grant[2] ?? "")).memberOf.push(unquoteIdentifier(grant[1] ?? ""));
  }
  return [...roles].map(([name, role]) => ({ name, ...role }));
}

function statementsOf(text: string): string[] {
  const reader = new SqlReader();
  const tokens = [...reader.push(Buffer.from(text)), ...reader.finish()];
  return tokens.flatMap((token) =>
    token.type === "statement" ? [token.bytes.toString("utf8").trim()] : [],
  );
}

/** `NOSUPERUSER INHERIT CREATEDB LOGIN PASSWORD '…'`: words only, because a value may contain any of them. */
function attributesIn(text: string): RoleAttribute[] {
  const words = new Set(text.replace(/'(?:[^']|'')*'/g, "").split(/\s+/));
  return attributes.filter((attribute) => words.has(attribute));
}

/** A role as it is on the server now. */
export interface PresentRole {
  readonly name: string;
  readonly attributes: readonly RoleAttribute[];
  readonly memberOf: readonly string[];
  readonly settings: boolean;
  /** Whether it is a role of Stagecraft, which the stack file gives its rights. */
  readonly isManaged: boolean;
}

/**
 * What the roles of a backup have lost, a sentence each: a recovery creates the roles that own things or were granted
 * something, without login, password and attributes, and never a superuser.
 */
export function lostRoleRights(
  backedUp: readonly GlobalRole[],
  present: readonly PresentRole[],
): string[] {
  const byName = new Map(present.map((role) => [role.name, role]));
  return backedUp.filter(isForeign).flatMap((role) => {
    const { name } = role;
    const now = byName.get(name);
    if (now?.isManaged === true) {
      const rights = role.attributes.length === 0 ? "nothing" : role.attributes.join(" ");
      return [
        `${name} is now a role of Stagecraft for its database, without password; it had ${rights}; to let it log in: ALTER ROLE ${q(name)} PASSWORD '…'`,
      ];
    }
    const had = role.attributes.filter((attribute) => now?.attributes.includes(attribute) !== true);
    if (!now) {
      const rights = had.length === 0 ? "" : `, it had ${had.join(" ")}`;
      return [`${name} was not created, because no restored database names it${rights}`];
    }
    const groups = role.memberOf.filter((group) => !now.memberOf.includes(group));
    const settings = now.settings ? [] : role.settings;
    const parts = [
      ...(had.length === 0 ? [] : [`it had ${had.join(" ")}`]),
      ...groups.map((group) => `it was a member of ${group}`),
      ...(settings.length === 0 ? [] : ["it had parameters"]),
    ];
    if (parts.length === 0) return [];
    const granted = had.filter((attribute) => attribute !== "SUPERUSER");
    const clauses = granted.map((attribute) =>
      attribute === "LOGIN" ? "LOGIN PASSWORD '…'" : attribute,
    );
    const statements = [
      ...(clauses.length === 0 ? [] : [`ALTER ROLE ${q(name)} ${clauses.join(" ")}`]),
      ...groups.map((group) => `GRANT ${q(group)} TO ${q(name)}`),
      ...settings,
    ];
    const fix = statements.length === 0 ? "" : `; to give it back: ${statements.join("; ")}`;
    return [`${name} exists without what it had: ${parts.join(", ")}${fix}`];
  });
}

/** Memberships to grant again: both roles are those of others, exist, and neither was or is a superuser. */
export function lostMemberships(
  backedUp: readonly GlobalRole[],
  present: readonly PresentRole[],
): { readonly role: string; readonly memberOf: string }[] {
  const isPlain = (name: string): boolean => {
    const was = backedUp.find((role) => role.name === name);
    const now = present.find((role) => role.name === name);
    return (
      was !== undefined &&
      now !== undefined &&
      !now.isManaged &&
      isForeign(was) &&
      ![...was.attributes, ...now.attributes].includes("SUPERUSER")
    );
  };
  return backedUp.flatMap(({ name, memberOf }) =>
    memberOf
      .filter((group) => isPlain(name) && isPlain(group))
      .filter((group) => !present.find((one) => one.name === name)?.memberOf.includes(group))
      .map((group) => ({ role: name, memberOf: group })),
  );
}

/** Whether it is neither the bootstrap superuser, nor PostgreSQL's, nor a role of Stagecraft, nor one of its sessions. */
function isForeign({ name, comment }: GlobalRole): boolean {
  return (
    !/^(?:postgres$|pg_|stagecraft_)/.test(name) && comment?.startsWith("stagecraft: ") !== true
  );
}
