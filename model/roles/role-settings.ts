import type { RoleMark } from "./mark";
import type { DesiredRole } from "./role";

/** Parameters of a role's sessions (`ALTER ROLE … SET`), by name, in PostgreSQL's notation. */
export type RoleSettings = Readonly<Record<string, string>>;

const none: RoleSettings = {};

/**
 * Roles that only read write nothing, and one forgotten query does not run for days or fill the disk. A session may set
 * its own `default_transaction_read_only` and `statement_timeout`. Only the superuser may set `temp_file_limit`; it counts
 * the files of one backend.
 */
const reading: RoleSettings = {
  default_transaction_read_only: "on",
  statement_timeout: "15min",
  temp_file_limit: "2GB",
};

/** The settings of Stagecraft's roles, by purpose. Others are drift. For users who only read, {@link settingsOf} has others. */
export const roleSettings: Readonly<Record<RoleMark, RoleSettings>> = {
  application: none,
  owner: none,
  readonly: reading,
  monitor: none,
  group: none,
  person: none,
};

/** What {@link settingsOf} needs to know of a role, desired or found. */
type Member = Pick<DesiredRole, "mark"> & {
  readonly memberships: readonly { readonly of: string }[];
};

/**
 * The settings of a role. PostgreSQL passes settings on to no member, so a user whose groups only read has those of the
 * read-only role. `others` are the roles it may be a member of, by name.
 */
export function settingsOf(role: Member, others: ReadonlyMap<string, Member>): RoleSettings {
  return role.mark === "person" && onlyReads(role, others)
    ? roleSettings.readonly
    : roleSettings[role.mark];
}

function onlyReads({ mark, memberships }: Member, others: ReadonlyMap<string, Member>): boolean {
  if (mark === "readonly") return true;
  const of = memberships.map(({ of }) => others.get(of));
  return of.length > 0 && of.every((other) => other !== undefined && onlyReads(other, others));
}
