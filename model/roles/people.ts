import { z } from "zod";
import type { ServerKind } from "../base/names";

/** What a person is in the team. */
export const personRoleSchema = z.enum([
  "SysAdmin",
  "DbAdmin",
  "Developer",
  "Tester",
  "HelpDesk",
  "CI",
]);
export type PersonRole = z.infer<typeof personRoleSchema>;

/** Who is who: a name, which becomes a login role, and what that person is. */
export type People = Readonly<Record<string, PersonRole>>;

/**
 * What a group may do in the databases of a server: as that role may, without asking.
 * `may become owner`: only after `SET ROLE <database>_owner`.
 */
export type GroupRight = "owner" | "may become owner" | "application" | "readonly" | "monitor";

/** The rights of people in databases, by kind of server. Whoever has none gets no login there. */
export const rightsOfPeople: Readonly<
  Record<PersonRole, Readonly<Record<ServerKind, readonly GroupRight[]>>>
> = {
  // Works through the agent and the host, where everything is possible anyway.
  SysAdmin: { development: [], staging: [], production: [] },
  DbAdmin: {
    development: ["may become owner", "monitor"],
    staging: ["may become owner", "monitor"],
    production: ["may become owner", "monitor"],
  },
  Developer: { development: ["owner"], staging: ["readonly"], production: [] },
  Tester: { development: ["application"], staging: ["application"], production: [] },
  HelpDesk: { development: ["monitor"], staging: ["monitor"], production: ["monitor"] },
  // Works through Pulumi.
  CI: { development: [], staging: [], production: [] },
};

/** Whether a person gets a login role on a server of that kind. */
export function hasLogin(kind: ServerKind, role: PersonRole): boolean {
  return rightsOfPeople[role][kind].length > 0;
}

/** The people who get a login role on a server of that kind. */
export function peopleWithLogin(kind: ServerKind, people: People): string[] {
  return Object.entries(people).flatMap(([name, role]) => (hasLogin(kind, role) ? [name] : []));
}

/** A sentence for each person who gets no login role, for the preview. */
export function peopleWithoutLogin(kind: ServerKind, people: People): string[] {
  return Object.entries(people).flatMap(([name, role]) =>
    hasLogin(kind, role)
      ? []
      : [`${name} gets no login: a ${role} has no rights in the databases of a ${kind} server`],
  );
}
