import { quoteIdentifier as q } from "../base/sql";
import { databaseRoles, monitorRole } from "./names";
import type { RolesObservation } from "./protocol";
import { noLogin } from "./role";

/**
 * Drift of a server's roles, a sentence each, for the preview. `people` are the users who need a login role. `up`
 * corrects all drift except roles that Stagecraft did not create.
 */
export function rolesDrift(observation: RolesObservation, people: readonly string[]): string[] {
  const { faults, missing, superusers, rights, logins } = observation;
  const { recorded, strangers = [], databases = [], differences = [] } = observation;
  const reported = [
    ...missing,
    ...faults.flatMap(({ role, faults }) => (faults.includes(noLogin) ? [role] : [])),
  ];
  const withoutLogin = people.filter((name) => ![...logins, ...reported].includes(name));
  return [
    ...faults.flatMap(({ role, faults }) =>
      faults.map((fault) => `role ${role} ${fault}; up corrects it`),
    ),
    ...missing.map((role) => `role ${role} is missing; up recreates it`),
    ...withoutLogin.map((role) => `role ${role} is missing or may not log in; up corrects it`),
    ...rights.map((database) => {
      const texts = differences.find((found) => found.database === database)?.texts ?? [];
      return `privileges in ${database} differ from the declared ones${differenceText(texts)}; up corrects them`;
    }),
    ...databases.flatMap(({ database, faults }) =>
      faults.map((fault) => `database ${database} ${fault}; up corrects it`),
    ),
    ...(recorded === false && logins.length > 0
      ? [
          "the agent does not remember which passwords and memberships up has set, so changes of them are not detected; up corrects it",
        ]
      : []),
    ...superusers.map(
      (role) =>
        `role ${role} is a superuser that Stagecraft does not manage; to change that: ALTER ROLE ${q(role)} NOSUPERUSER`,
    ),
    ...strangers.map(
      ({ role, faults, statements }) =>
        `role ${role}, which Stagecraft does not manage, ${listText(faults)}; to change that: ${statements.join("; ")}`,
    ),
  ];
}

/** A sentence for each user with a login who is no longer one of `people`, for the preview. */
export function removedUsers({ logins }: RolesObservation, people: readonly string[]): string[] {
  const isOfDatabase = (name: string): boolean =>
    logins.some((login) => {
      const { application, readonly } = databaseRoles(login);
      return logins.includes(readonly) && [application, readonly].includes(name);
    });
  return logins
    .filter((name) => name !== monitorRole && !people.includes(name) && !isOfDatabase(name))
    .map((name) => `${name} is not in people; up disables the login and ends the sessions`);
}

/** Whether the roles are as the last `up` applied them; roles that Stagecraft did not create are no reason for another one. */
export function areRolesUpToDate(
  observation: RolesObservation,
  people: readonly string[],
): boolean {
  const own = { ...observation, superusers: [], strangers: [] };
  // An older agent does not say whether there is a record.
  return observation.recorded === true && rolesDrift(own, people).length === 0;
}

/** Differences shown of a database. */
const maxDifferences = 5;

function differenceText(texts: readonly string[]): string {
  if (texts.length === 0) return "";
  const more = texts.length - maxDifferences;
  return `: ${texts.slice(0, maxDifferences).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function listText(items: readonly string[]): string {
  return items.length < 2
    ? items.join("")
    : `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}
