import { roleNameProblem } from "../base/role-name";
import type { PersonRole } from "./people";

/** The roles of one database. */
export interface DatabaseRoles {
  /** Logs in for the application: reads and writes rows, owns nothing but large objects. */
  readonly application: string;
  /** Owns the database and all in it; cannot log in. */
  readonly owner: string;
  /** Logs in to read everything. */
  readonly readonly: string;
}

/** The names of a database's roles: the application's is the database's own. */
export function databaseRoles(database: string): DatabaseRoles {
  return {
    application: database,
    owner: `${database}_owner`,
    readonly: `${database}_readonly`,
  };
}

/** The same as a list. */
export function databaseRoleNames(database: string): string[] {
  const { application, owner, readonly } = databaseRoles(database);
  return [application, owner, readonly];
}

/** The one superuser: the agent, through the socket; it has no password. */
export const superuser = "postgres";

/** Logs in to read statistics, of the server and of every database; no table. */
export const monitorRole = "stagecraft_monitor";

/** The role without login that people of one kind are members of, e.g. `stagecraft_dbadmin`. */
export const groupRole = (role: PersonRole): string => `stagecraft_${role.toLowerCase()}`;

/** What a person's name must be to become a login role; the sentence that follows "must", or `undefined` when it is fine. */
export function personNameProblem(name: string, databases: readonly string[]): string | undefined {
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) {
    return "be up to 63 small letters, digits, hyphens and underscores, beginning with a letter";
  }
  if (["application", "readonly", "monitor"].includes(name)) {
    return `not be ${name}, which has a password of its own`;
  }
  if (name === superuser) return `not be ${superuser}, the superuser`;
  const others = databases.flatMap(databaseRoleNames);
  if (others.includes(name)) return "not be the name of one of the database's own roles";
  return roleNameProblem(name);
}
