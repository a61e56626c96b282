import { readRoleComment, type RoleMark } from "./mark";
import { databaseRoleNames, monitorRole } from "./names";
import type { RecordedRole, RolesRecord } from "./record";
import type { DesiredRole, FoundRole } from "./role";

/** Whether a role with Stagecraft's comment is not one of the recorded roles, nor of these databases. */
export function isRemovedRole(
  name: string,
  mark: RoleMark,
  record: RolesRecord | undefined,
  databases: readonly string[],
): boolean {
  if (record && Object.hasOwn(record.roles, name)) return false;
  // An older agent did not remember who is listed in people.
  if (mark === "person" || mark === "group") return record !== undefined;
  return name !== monitorRole && !databases.flatMap(databaseRoleNames).includes(name);
}

/**
 * The record after `desired` was applied. Roles of other databases stay in it.
 *
 * @param found The roles as they are now.
 */
export function desiredRecord(
  desired: readonly DesiredRole[],
  found: ReadonlyMap<string, FoundRole>,
  previous: RolesRecord | undefined,
): RolesRecord {
  const others = Object.entries(previous?.roles ?? {}).filter(([name]) => {
    const mark = readRoleComment(found.get(name)?.comment ?? null);
    return mark !== undefined && mark !== "person" && mark !== "group";
  });
  const applied = desired.map(({ name, memberships }): [string, RecordedRole] => [
    name,
    { password: found.get(name)?.password ?? null, memberships: [...memberships] },
  ]);
  return { roles: Object.fromEntries([...others, ...applied]) };
}
