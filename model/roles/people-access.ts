import type { ServerKind } from "../base/names";
import { databaseRoles, groupRole, monitorRole } from "./names";
import {
  peopleWithLogin,
  rightsOfPeople,
  type GroupRight,
  type People,
  type PersonRole,
} from "./people";

/** A user with a login role, for the table of who can connect. */
export interface PersonAccess {
  /** Name of the login role. */
  readonly name: string;
  readonly role: PersonRole;
  /** All roles that the login role is a member of. */
  readonly roles: readonly string[];
  /** What it may do, to follow its name. */
  readonly rights: string;
}

/** The users who get a login role on a server of that kind. */
export function peopleAccess(kind: ServerKind, database: string, people: People): PersonAccess[] {
  return peopleWithLogin(kind, people).flatMap((name) => {
    const role = people[name];
    if (role === undefined) return [];
    const rights = rightsOfPeople[role][kind];
    const roles = rights.map((right) => roleOfRight(right, database));
    return [
      {
        ...{ name, role, roles: [groupRole(role), ...roles] },
        rights: `may ${rights.map((right) => describeRight(right, database)).join(" and ")}`,
      },
    ];
  });
}

function roleOfRight(right: GroupRight, database: string): string {
  const { owner, application, readonly } = databaseRoles(database);
  const roles = { owner, "may become owner": owner, application, readonly, monitor: monitorRole };
  return roles[right];
}

function describeRight(right: GroupRight, database: string): string {
  const texts: Readonly<Record<GroupRight, string>> = {
    owner: `change everything in ${database}`,
    "may become owner": `change everything in ${database} after SET ROLE ${databaseRoles(database).owner}`,
    application: `read and write rows of ${database}`,
    readonly: `read ${database}`,
    monitor: "read statistics",
  };
  return texts[right];
}
