import type { RoleMark } from "./mark";

/**
 * Parameters that Stagecraft sets for roles of a purpose, by `ALTER ROLE … SET`, as PostgreSQL stores their values. Other
 * parameters of these roles are drift.
 */
export const roleSettings: Readonly<Record<RoleMark, Readonly<Record<string, string>>>> = {
  application: {},
  owner: {},
  readonly: { default_transaction_read_only: "on" },
  monitor: {},
  group: {},
  person: {},
};
