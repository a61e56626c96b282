import { z } from "zod";
import { quoteIdentifier as q, quoteParameter } from "../base/sql";
import { databaseRoles } from "./names";

/** A role that Stagecraft did not create and that can do more than own objects: named, with its fix, but not changed. */
export const strangerSchema = z.strictObject({
  role: z.string(),
  /** What it can do, to follow its name, e.g. `may log in`. */
  faults: z.array(z.string()),
  /** The statements that change that. */
  statements: z.array(z.string()),
});
export type Stranger = z.infer<typeof strangerSchema>;

/** An existing role that Stagecraft did not create and that is no superuser. */
export interface FoundStranger {
  readonly role: string;
  readonly login: boolean;
  readonly createRoles: boolean;
  readonly createDatabases: boolean;
  readonly replication: boolean;
  readonly bypassRowSecurity: boolean;
  /** Its memberships in PostgreSQL's predefined roles and in superusers. */
  readonly memberships: readonly { readonly of: string; readonly grantor: string }[];
  /** Parameters that it was granted to set. */
  readonly parameters: readonly string[];
}

/** Predefined roles that read or change everybody's data or files. PostgreSQL manual, 21.5. */
const powerfulRoles = new Set([
  "pg_read_all_data",
  "pg_write_all_data",
  "pg_execute_server_program",
  "pg_read_server_files",
  "pg_write_server_files",
]);

/**
 * What is reported of a role; `undefined` for nothing. On an external server, roles of others may log in and have
 * attributes; only what gives access to a managed database is reported.
 *
 * @param owned Number of its objects in each managed database.
 */
export function strangerOf(
  found: FoundStranger,
  owned: Readonly<Record<string, number>>,
  isExternal: boolean,
): Stranger | undefined {
  const { role, login } = found;
  const attributes: [has: boolean, text: string, clause: string][] = isExternal
    ? []
    : [
        [login, "may log in", "NOLOGIN"],
        [found.createRoles, "may create roles", "NOCREATEROLE"],
        [found.createDatabases, "may create databases", "NOCREATEDB"],
        [found.replication, "may replicate", "NOREPLICATION"],
        [found.bypassRowSecurity, "bypasses row-level security", "NOBYPASSRLS"],
      ];
  const wrong = attributes.filter(([has]) => has);
  const memberships = found.memberships.filter(
    ({ of }) => !isExternal || !of.startsWith("pg_") || powerfulRoles.has(of),
  );
  const parameters = isExternal ? [] : found.parameters;
  const objects = login ? Object.entries(owned) : [];
  const faults = [
    ...wrong.map(([, text]) => text),
    ...memberships.map(({ of }) => `is a member of ${of}`),
    ...parameters.map((name) => `may set ${name}`),
    ...objects.map(([database]) => `owns objects in ${database}`),
  ];
  if (faults.length === 0) return undefined;
  const clauses = wrong.map(([, , clause]) => clause).join(" ");
  return {
    role,
    faults,
    statements: [
      ...(clauses === "" ? [] : [`ALTER ROLE ${q(role)} ${clauses}`]),
      ...memberships.map(
        ({ of, grantor }) => `REVOKE ${q(of)} FROM ${q(role)} GRANTED BY ${q(grantor)} CASCADE`,
      ),
      ...parameters.map(
        (name) => `REVOKE ALL ON PARAMETER ${quoteParameter(name)} FROM ${q(role)}`,
      ),
      ...objects.map(
        ([database]) =>
          `REASSIGN OWNED BY ${q(role)} TO ${q(databaseRoles(database).owner)} (in ${database})`,
      ),
    ],
  };
}
