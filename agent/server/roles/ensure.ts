import type { Client } from "pg";
import { desiredMonitorRole, rolesOfDatabase } from "../../../model/roles/desired-roles";
import {
  attributeFaults,
  isLogin,
  membershipChanges,
  readRoleComment,
  roleComment,
  type FoundRole,
  type DesiredRole,
} from "../../../model/roles/role";
import { settingsOf, type RoleSettings } from "../../../model/roles/role-settings";
import { quoteIdentifier as q, quoteLiteral } from "../../../model/base/sql";
import { isExternal } from "../../postgres/external-connection";
import { AgentError } from "../../system/errors";
import { findRoles, superuserWithPassword } from "./find-roles";
import { withRolesLock } from "./lock";
import { isVerifierOf } from "../../postgres/scram";
import { setPassword } from "./passwords";

/** Changes of roles. */
export interface RolesChanges {
  readonly created: string[];
  /** One sentence per change. */
  readonly changed: string[];
}

/** Creates the missing roles of a database, without passwords, so that they cannot log in yet. */
export async function createMissingRoles(client: Client, database: string): Promise<void> {
  const desired = [...rolesOfDatabase(database), desiredMonitorRole];
  await withRolesLock(client, async () => {
    const found = await findRoles(
      client,
      desired.map(({ name }) => name),
    );
    const missing = desired.filter(({ name }) => !found.has(name));
    const all = byName(desired);
    for (const role of missing) await ensureRole(client, role, undefined, settingsOf(role, all));
  });
}

/**
 * Creates and corrects the desired roles: attributes, password and memberships. Users that are no longer desired lose
 * their login. Throws an {@link AgentError} for a role that Stagecraft did not create.
 */
export async function ensureRoles(
  client: Client,
  desired: readonly DesiredRole[],
): Promise<RolesChanges> {
  const changes: RolesChanges = { created: [], changed: [] };
  await withRolesLock(client, async () => {
    const names = desired.map(({ name }) => name);
    const found = await findRoles(client, names);
    rejectUnmanagedRoles(desired, found);
    const all = byName(desired);
    for (const role of desired) {
      const before = found.get(role.name);
      const changed = await ensureRole(client, role, before, settingsOf(role, all));
      if (before) changes.changed.push(...changed);
      else changes.created.push(role.name);
    }
    const superuser = await superuserWithPassword(client);
    if (superuser !== undefined) {
      await client.query(`ALTER ROLE ${q(superuser)} PASSWORD NULL`);
      changes.changed.push(`${superuser}: has a password; now PASSWORD NULL`);
    }
    for (const role of found.values()) {
      if (!names.includes(role.name)) changes.changed.push(...(await revokeLogin(client, role)));
    }
  });
  return changes;
}

/**
 * Throws for a role that exists and was not created by Stagecraft: taking it over would pass its rights on. Checked for
 * users, and on an external server for every role.
 */
function rejectUnmanagedRoles(
  desired: readonly DesiredRole[],
  found: ReadonlyMap<string, FoundRole>,
): void {
  const unmanaged = desired.find(
    ({ name, mark }) =>
      (mark === "person" || isExternal) &&
      found.has(name) &&
      readRoleComment(found.get(name)?.comment ?? null) !== mark,
  );
  if (!unmanaged) return;
  const { name, mark } = unmanaged;
  const where = mark === "person" ? `people.${name}: ` : "";
  const what = mark === "person" ? "the user" : "the database";
  throw new AgentError(
    `${where}role ${name} exists on this server and was not created by Stagecraft; give ${what} another name, or let Stagecraft manage the role with: COMMENT ON ROLE ${q(name)} IS ${quoteLiteral(roleComment(mark))}`,
  );
}

function byName(roles: readonly DesiredRole[]): ReadonlyMap<string, DesiredRole> {
  return new Map(roles.map((role) => [role.name, role]));
}

async function ensureRole(
  client: Client,
  { name, mark, password, memberships }: DesiredRole,
  before: FoundRole | undefined,
  settings: RoleSettings,
): Promise<string[]> {
  const changed: string[] = [];
  if (!before) {
    await client.query(`CREATE ROLE ${q(name)} ${isLogin(mark) ? "LOGIN" : "NOLOGIN"}`);
    for (const [parameter, value] of Object.entries(settings))
      await client.query(`ALTER ROLE ${q(name)} SET ${parameter} = ${quoteLiteral(value)}`);
  }
  if (before?.comment !== roleComment(mark))
    await client.query(`COMMENT ON ROLE ${q(name)} IS ${quoteLiteral(roleComment(mark))}`);
  for (const { clause, text } of before ? attributeFaults(before, mark, isLogin(mark)) : []) {
    await client.query(`ALTER ROLE ${q(name)} ${clause}`);
    changed.push(`${name}: ${text}; now ${clause}`);
  }
  if (password !== undefined && !isVerifierOf(before?.verifier ?? null, password)) {
    await setPassword(client, name, password);
    changed.push(`${name}: new password`);
  }
  return [...changed, ...(await ensureMemberships(client, name, before, memberships))];
}

async function ensureMemberships(
  client: Client,
  name: string,
  before: FoundRole | undefined,
  desired: DesiredRole["memberships"],
): Promise<string[]> {
  const changes = membershipChanges(name, before?.memberships ?? [], desired);
  for (const { statement } of changes) await client.query(statement);
  return changes.map(({ text }) => text);
}

/** Revokes the login of a user who is no longer listed, and the memberships of a group without members. */
async function revokeLogin(client: Client, role: FoundRole): Promise<string[]> {
  const { name, login, verifier } = role;
  const mark = readRoleComment(role.comment);
  if (mark !== "person" && mark !== "group") return [];
  const changed = await ensureMemberships(client, name, role, []);
  if (!login && verifier === null) return changed;
  await client.query(`ALTER ROLE ${q(name)} NOLOGIN PASSWORD NULL`);
  // A session keeps a role that it has set until it ends.
  await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [
    name,
  ]);
  return [...changed, `${name}: no longer listed in people, cannot log in`];
}
