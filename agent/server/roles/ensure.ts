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
import { quoteIdentifier as q, quoteLiteral } from "../../../model/base/sql";
import { isExternal } from "../../postgres/external-connection";
import { AgentError } from "../../system/errors";
import { findRoles, superuserWithPassword } from "./find-roles";
import { withRolesLock } from "./lock";
import { isVerifierOf, setPassword } from "./passwords";

/** What was done to roles. */
export interface RolesChanges {
  readonly created: string[];
  /** A sentence each. */
  readonly changed: string[];
}

/** Makes the roles of a database that are not there; without passwords, so that nobody can log in as them yet. */
export async function createMissingRoles(client: Client, database: string): Promise<void> {
  const wanted = [...rolesOfDatabase(database), desiredMonitorRole];
  await withRolesLock(client, async () => {
    const found = await findRoles(
      client,
      wanted.map(({ name }) => name),
    );
    const missing = wanted.filter(({ name }) => !found.has(name));
    for (const role of missing) await ensureRole(client, role, undefined);
  });
}

/** Gives every wanted role its attributes, password and memberships; whoever is not wanted any more loses the login. */
export async function ensureRoles(
  client: Client,
  wanted: readonly DesiredRole[],
): Promise<RolesChanges> {
  const changes: RolesChanges = { created: [], changed: [] };
  await withRolesLock(client, async () => {
    const names = wanted.map(({ name }) => name);
    const found = await findRoles(client, names);
    rejectUnmanagedRoles(wanted, found);
    for (const role of wanted) {
      const before = found.get(role.name);
      const changed = await ensureRole(client, role, before);
      if (before) changes.changed.push(...changed);
      else changes.created.push(role.name);
    }
    const open = await superuserWithPassword(client);
    if (open !== undefined) {
      await client.query(`ALTER ROLE ${q(open)} PASSWORD NULL`);
      changes.changed.push(`${open}: has a password; now PASSWORD NULL`);
    }
    for (const role of found.values()) {
      if (!names.includes(role.name)) changes.changed.push(...(await revokeLogin(client, role)));
    }
  });
  return changes;
}

/**
 * A person may be called like a role that somebody else made; taking it over would give away its rights. On a server
 * that is not ours that goes for every role.
 */
function rejectUnmanagedRoles(
  wanted: readonly DesiredRole[],
  found: ReadonlyMap<string, FoundRole>,
): void {
  const stranger = wanted.find(
    ({ name, mark }) =>
      (mark === "person" || isExternal) &&
      found.has(name) &&
      readRoleComment(found.get(name)?.comment ?? null) !== mark,
  );
  if (!stranger) return;
  const { name, mark } = stranger;
  const where = mark === "person" ? `people.${name}: ` : "";
  const what = mark === "person" ? "the person" : "the database";
  throw new AgentError(
    `${where}there is a role ${name} on this server that Stagecraft has not made; give ${what} another name, or hand the role over with: COMMENT ON ROLE ${q(name)} IS ${quoteLiteral(roleComment(mark))}`,
  );
}

async function ensureRole(
  client: Client,
  { name, mark, password, memberships }: DesiredRole,
  before: FoundRole | undefined,
): Promise<string[]> {
  const changed: string[] = [];
  if (!before) {
    await client.query(`CREATE ROLE ${q(name)} ${isLogin(mark) ? "LOGIN" : "NOLOGIN"}`);
    if (mark === "readonly")
      await client.query(`ALTER ROLE ${q(name)} SET default_transaction_read_only = on`);
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
  wanted: DesiredRole["memberships"],
): Promise<string[]> {
  const changes = membershipChanges(name, before?.memberships ?? [], wanted);
  for (const { statement } of changes) await client.query(statement);
  return changes.map(({ text }) => text);
}

/** Takes the login of a person who is not in the list any more, and the rights of a group that nobody is in. */
async function revokeLogin(client: Client, role: FoundRole): Promise<string[]> {
  const { name, login, verifier } = role;
  const mark = readRoleComment(role.comment);
  if (mark !== "person" && mark !== "group") return [];
  const changed = await ensureMemberships(client, name, role, []);
  if (!login && verifier === null) return changed;
  await client.query(`ALTER ROLE ${q(name)} NOLOGIN PASSWORD NULL`);
  // Who has become the owner stays so until the session ends.
  await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [
    name,
  ]);
  return [...changed, `${name}: no longer in the list of people, may not log in`];
}
