import { roleNameProblem } from "../base/role-name";
import type { PersonRole } from "./people";

/** The roles of one database. */
export interface DatabaseRoles {
  /** Login role of the application: reads and writes rows, owns only large objects. */
  readonly application: string;
  /** Owner of the database and all objects in it; cannot log in. */
  readonly owner: string;
  /** The read-only role: can log in and read everything. */
  readonly readonly: string;
}

/** The roles of a database; the application's role has the name of the database. */
export function databaseRoles(database: string): DatabaseRoles {
  return {
    application: database,
    owner: `${database}_owner`,
    readonly: `${database}_readonly`,
  };
}

/** The names of these roles. */
export function databaseRoleNames(database: string): string[] {
  const { application, owner, readonly } = databaseRoles(database);
  return [application, owner, readonly];
}

/** The only superuser: the agent connects as it over the socket; it has no password. */
export const superuser = "postgres";

/** Login role that reads statistics of the server and all databases, but no tables. */
export const monitorRole = "stagecraft_monitor";

/**
 * Beginning of the names of the agent's restricted logins: roles that exist only while the agent runs code of a dump, a
 * database or its owner.
 */
export const sessionRolePrefix = "stagecraft_session_";

/** The group role of users with the same team role; cannot log in, e.g. `stagecraft_dbadmin`. */
export const groupRole = (role: PersonRole): string => `stagecraft_${role.toLowerCase()}`;

/** Whether a role is a restricted login, or the role with which earlier versions restored. */
export const isTemporaryRole = (name: string): boolean =>
  name.startsWith(sessionRolePrefix) || name === "stagecraft_restore";

/** Why a user's name cannot be a login role: a sentence to follow "must"; `undefined` if it can. */
export function personNameProblem(name: string, databases: readonly string[]): string | undefined {
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) {
    return "be up to 63 lowercase letters, digits, hyphens and underscores, starting with a letter";
  }
  if (["application", "readonly", "monitor"].includes(name)) {
    return `not be ${name}, which is reserved for a role with its own password`;
  }
  if (name === superuser) return `not be ${superuser}, the superuser`;
  const others = databases.flatMap(databaseRoleNames);
  if (others.includes(name)) return "not be the name of one of the database's roles";
  return roleNameProblem(name);
}
