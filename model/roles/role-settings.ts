import type { RoleMark } from "./mark";
import type { DesiredRole } from "./role";

/** Parameters of a role's sessions (`ALTER ROLE … SET`), by name, in PostgreSQL's notation. */
export type RoleSettings = Readonly<Record<string, string>>;

/** The settings of Stagecraft's roles, by purpose. Others are drift. */
export const roleSettings: Readonly<Record<RoleMark, RoleSettings>> = {
  application: {},
  owner: {},
  readonly: { default_transaction_read_only: "on" },
  monitor: {},
  group: {},
  person: {},
};

/** What {@link settingsOf} needs to know of a role, desired or found. */
type Member = Pick<DesiredRole, "mark"> & {
  readonly memberships: readonly { readonly of: string }[];
};

/** The settings of a role. `others` are the roles it may be a member of, by name. */
export function settingsOf(role: Member, _others: ReadonlyMap<string, Member>): RoleSettings {
  return roleSettings[role.mark];
}
