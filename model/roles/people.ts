import { z } from "zod";
import type { ServerKind } from "../base/names";

/** Role of a user in the team. */
export const personRoleSchema = z.enum([
  "SysAdmin",
  "DbAdmin",
  "Developer",
  "Tester",
  "HelpDesk",
  "CI",
]);
export type PersonRole = z.infer<typeof personRoleSchema>;

/** Users by name, which is also the name of the login role, with their team role. */
export type People = Readonly<Record<string, PersonRole>>;

/**
 * Privileges of a group in the databases of a server: those it inherits from the named role.
 * `may become owner`: only after `SET ROLE <database>_owner`.
 */
export type GroupRight = "owner" | "may become owner" | "application" | "readonly" | "monitor";

/** Rights by team role and kind of server. A user without rights gets no login role. */
export const rightsOfPeople: Readonly<
  Record<PersonRole, Readonly<Record<ServerKind, readonly GroupRight[]>>>
> = {
  // Uses the agent and the host, where it has full access anyway.
  SysAdmin: { development: [], staging: [], production: [] },
  DbAdmin: {
    development: ["may become owner", "monitor"],
    staging: ["may become owner", "monitor"],
    production: ["may become owner", "monitor"],
  },
  Developer: { development: ["owner"], staging: ["readonly"], production: [] },
  Tester: { development: ["application"], staging: ["application"], production: [] },
  HelpDesk: { development: ["monitor"], staging: ["monitor"], production: ["monitor"] },
  // Uses Pulumi.
  CI: { development: [], staging: [], production: [] },
};

/** Whether a user with that team role gets a login role on a server of that kind. */
export function hasLogin(kind: ServerKind, role: PersonRole): boolean {
  return rightsOfPeople[role][kind].length > 0;
}

/** Names of the users who get a login role on a server of that kind. */
export function peopleWithLogin(kind: ServerKind, people: People): string[] {
  return Object.entries(people).flatMap(([name, role]) => (hasLogin(kind, role) ? [name] : []));
}

/** A sentence for each user who gets no login role, for the preview. */
export function peopleWithoutLogin(kind: ServerKind, people: People): string[] {
  return Object.entries(people).flatMap(([name, role]) =>
    hasLogin(kind, role)
      ? []
      : [`${name} gets no login: a ${role} has no rights in the databases of a ${kind} server`],
  );
}
