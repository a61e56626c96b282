import { databaseRoles, groupRole, monitorRole } from "./names";
import type { ServerKind } from "../base/names";
import { rightsOfPeople, type GroupRight, type PersonRole } from "./people";
import type { RolesRequest } from "./protocol";
import type { Membership, DesiredRole } from "./role";

/** The roles of a database, without passwords. */
export function rolesOfDatabase(database: string): readonly DesiredRole[] {
  const { application, owner, readonly } = databaseRoles(database);
  return [
    { name: owner, mark: "owner", memberships: [] },
    { name: application, mark: "application", memberships: [] },
    { name: readonly, mark: "readonly", memberships: [] },
  ];
}

/** The role that reads statistics, without its password. */
export const desiredMonitorRole: DesiredRole = {
  name: monitorRole,
  mark: "monitor",
  memberships: [{ of: "pg_monitor", inherit: true }],
};

/** All roles of a request; groups come before their members. */
export function desiredRoles(request: RolesRequest): readonly DesiredRole[] {
  const { databases, people, kind } = request;
  const names = databases.map(({ name }) => name);
  return [
    ...databases.flatMap(({ name, ...passwords }) =>
      rolesOfDatabase(name).map((role) =>
        role.mark === "application" || role.mark === "readonly"
          ? { ...role, password: passwords[role.mark] }
          : role,
      ),
    ),
    { ...desiredMonitorRole, password: request.monitor },
    ...[...new Set(people.map(({ role }) => role))].map((role) => group(role, kind, names)),
    ...people.map(({ name, role, password }): DesiredRole => ({
      name,
      mark: "person",
      password,
      memberships: [{ of: groupRole(role), inherit: true }],
    })),
  ];
}

function group(role: PersonRole, kind: ServerKind, databases: readonly string[]): DesiredRole {
  const memberships = rightsOfPeople[role][kind].flatMap((right) =>
    right === "monitor"
      ? [{ of: monitorRole, inherit: true }]
      : databases.map((name) => memberOf(right, name)),
  );
  return { name: groupRole(role), mark: "group", memberships };
}

function memberOf(right: Exclude<GroupRight, "monitor">, database: string): Membership {
  const { owner, application, readonly } = databaseRoles(database);
  switch (right) {
    case "owner":
      return { of: owner, inherit: true };
    case "may become owner":
      return { of: owner, inherit: false };
    case "application":
      return { of: application, inherit: true };
    case "readonly":
      return { of: readonly, inherit: true };
  }
}
