import { quoteIdentifier as q } from "../base/sql";
import type { RolesObservation } from "./protocol";

/**
 * Drift of a server's roles, a sentence each, for the preview. `people` are the users who need a login role. `up`
 * corrects all drift except unknown superusers.
 */
export function rolesDrift(
  { faults, missing, superusers, rights, logins }: RolesObservation,
  people: readonly string[],
): string[] {
  const withoutLogin = people.filter((name) => !logins.includes(name));
  return [
    ...faults.flatMap(({ role, faults }) =>
      faults.map((fault) => `role ${role} ${fault}; up corrects it`),
    ),
    ...missing.map((role) => `role ${role} is missing; up recreates it`),
    ...withoutLogin.map((role) => `role ${role} is missing or may not log in; up corrects it`),
    ...rights.map(
      (database) => `privileges in ${database} differ from the declared ones; up corrects them`,
    ),
    ...superusers.map(
      (role) =>
        `role ${role} is a superuser that Stagecraft does not manage; to change that: ALTER ROLE ${q(role)} NOSUPERUSER`,
    ),
  ];
}
