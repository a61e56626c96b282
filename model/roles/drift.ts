import { quoteIdentifier as q } from "../base/sql";
import type { RolesObservation } from "./protocol";

/**
 * What differs about the roles of a server, a sentence each, for the preview. `people` are those who are to log in.
 * All but strange superusers are put right by `up`.
 */
export function rolesDrift(
  { faults, missing, superusers, rights, logins }: RolesObservation,
  people: readonly string[],
): string[] {
  const shutOut = people.filter((name) => !logins.includes(name));
  return [
    ...faults.flatMap(({ role, faults }) =>
      faults.map((fault) => `role ${role} ${fault}; up puts it right`),
    ),
    ...missing.map((role) => `role ${role} is missing; up makes it again`),
    ...shutOut.map((role) => `role ${role} is missing or may not log in; up puts it right`),
    ...rights.map(
      (database) =>
        `rights in ${database} differ from those the roles should have; up puts them right`,
    ),
    ...superusers.map(
      (role) =>
        `role ${role} is a superuser and not Stagecraft's; if it is not to be one: ALTER ROLE ${q(role)} NOSUPERUSER`,
    ),
  ];
}
