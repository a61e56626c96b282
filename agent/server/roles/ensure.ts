import type { Client } from "pg";
import { desiredMonitorRole, rolesOfDatabase } from "../../../model/roles/desired-roles";
import { readRoleComment, roleComment, type RoleMark } from "../../../model/roles/mark";
import { superuser } from "../../../model/roles/names";
import { desiredRecord, isRemovedRole } from "../../../model/roles/recorded-roles";
import { settingsOf, type RoleSettings } from "../../../model/roles/role-settings";
import {
  attributeFaults,
  grantChanges,
  isLogin,
  membershipChanges,
  removedFaults,
  removedText,
  superuserFaults,
  type DesiredRole,
  type FoundRole,
  type GrantChange,
  type RoleFault,
} from "../../../model/roles/role";
import { quoteIdentifier as q, quoteLiteral, quoteParameter } from "../../../model/base/sql";
import { isExternal } from "../../postgres/external-connection";
import { AgentError } from "../../system/errors";
import { findRoles } from "./find-roles";
import { withRolesLock } from "./lock";
import { managedDatabases } from "./managed-databases";
import { isVerifierOf } from "../../postgres/scram";
import { setPassword } from "./passwords";
import { readRolesRecord, saveRolesRecord } from "./record";

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
    const change = new RolesChange(client, found, desired);
    for (const role of desired.filter(({ name }) => !found.has(name))) await change.ensure(role);
  });
}

/**
 * Creates and corrects the desired roles: attributes, parameters, password, memberships and members. Users that are no
 * longer desired lose their login. Remembers what was applied, for {@link readRolesRecord}. Throws an
 * {@link AgentError} for a role that Stagecraft did not create.
 */
export async function ensureRoles(
  client: Client,
  desired: readonly DesiredRole[],
): Promise<RolesChanges> {
  const names = desired.map(({ name }) => name);
  const record = await readRolesRecord();
  const change = await withRolesLock(
    client,
    async () => {
      const own = isExternal ? [] : [superuser];
      const found = await findRoles(client, [...names, ...own]);
      rejectUnmanagedRoles(desired, found);
      const databases = (await managedDatabases(client)).map(({ name }) => name);
      const change = new RolesChange(client, found, desired);
      for (const role of desired) await change.ensure(role);
      for (const role of found.values()) {
        const mark = readRoleComment(role.comment);
        if (own.includes(role.name)) await change.correctSuperuser(role);
        else if (mark === undefined || names.includes(role.name)) continue;
        else if (mark === "person" || mark === "group") await change.disable(role, mark);
        else if (isRemovedRole(role.name, mark, record, databases))
          await change.disable(role, mark);
        else await change.ensure({ name: role.name, mark, memberships: [] });
      }
      return change;
    },
    async ({ losers }) => {
      const applied = desiredRecord(desired, await findRoles(client, names), record);
      await saveRolesRecord(applied);
      // A session keeps a role that it has set until it ends.
      await client.query(
        `SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
         JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid WHERE r.rolname = ANY ($1) AND NOT r.rolsuper`,
        [[...losers]],
      );
    },
  );
  return change.changes;
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

/** A change of roles, within a transaction. */
class RolesChange {
  readonly changes: RolesChanges = { created: [], changed: [] };
  /** Roles whose sessions must end, because they may use what was revoked. */
  readonly losers = new Set<string>();
  readonly #desired: ReadonlyMap<string, DesiredRole>;

  constructor(
    private readonly client: Client,
    private readonly found: ReadonlyMap<string, FoundRole>,
    desired: readonly DesiredRole[],
  ) {
    this.#desired = new Map(desired.map((role) => [role.name, role]));
  }

  /** Creates or corrects a role. */
  async ensure(role: DesiredRole): Promise<void> {
    const { name, mark, password, memberships } = role;
    const before = this.found.get(name);
    const settings = settingsOf(role, this.#desired);
    if (before) {
      await this.#comment(before, mark);
      await this.#correct(name, attributeFaults(before, settings, isLogin(mark)));
    } else {
      await this.#create(name, mark, settings);
    }
    if (password !== undefined && !isVerifierOf(before?.verifier ?? null, password)) {
      await setPassword(this.client, name, password);
      if (before) this.changes.changed.push(`${name}: new password`);
    }
    const changes = membershipChanges(name, before?.memberships ?? [], memberships);
    await this.#grant(
      before ? [...changes, ...grantChanges(before)] : changes,
      before !== undefined,
    );
  }

  /** Revokes login, password and memberships of a role that is no longer declared. */
  async disable(role: FoundRole, mark: RoleMark): Promise<void> {
    const { name } = role;
    await this.#grant([...membershipChanges(name, role.memberships, []), ...grantChanges(role)]);
    const faults = removedFaults(role);
    const logins = ["NOLOGIN", "PASSWORD NULL"];
    if (role.login || role.verifier !== null) {
      await this.client.query(`ALTER ROLE ${q(name)} NOLOGIN PASSWORD NULL`);
      this.losers.add(name);
      const reason = mark === "person" ? "no longer listed in people" : removedText(mark);
      this.changes.changed.push(`${name}: ${reason}, cannot log in`);
    }
    await this.#correct(
      name,
      faults.filter(({ clause }) => !logins.includes(clause)),
    );
  }

  /** Corrects the bootstrap superuser. */
  async correctSuperuser(role: FoundRole): Promise<void> {
    await this.#correct(role.name, superuserFaults(role));
    await this.#grant(grantChanges(role));
  }

  async #create(name: string, mark: RoleMark, settings: RoleSettings): Promise<void> {
    await this.client.query(`CREATE ROLE ${q(name)} ${isLogin(mark) ? "LOGIN" : "NOLOGIN"}`);
    for (const [parameter, value] of Object.entries(settings))
      await this.client.query(
        `ALTER ROLE ${q(name)} SET ${quoteParameter(parameter)} = ${quoteLiteral(value)}`,
      );
    await this.client.query(`COMMENT ON ROLE ${q(name)} IS ${quoteLiteral(roleComment(mark))}`);
    this.changes.created.push(name);
  }

  async #comment({ name, comment }: FoundRole, mark: RoleMark): Promise<void> {
    if (comment === roleComment(mark)) return;
    await this.client.query(`COMMENT ON ROLE ${q(name)} IS ${quoteLiteral(roleComment(mark))}`);
  }

  async #correct(name: string, faults: readonly RoleFault[]): Promise<void> {
    for (const { clause, text } of faults) {
      await this.client.query(`ALTER ROLE ${q(name)} ${clause}`);
      this.changes.changed.push(`${name}: ${text}; now ${clause}`);
    }
  }

  async #grant(changes: readonly GrantChange[], shown = true): Promise<void> {
    for (const { text, statement, revokedFrom } of changes) {
      await this.client.query(statement);
      if (shown) this.changes.changed.push(text);
      if (revokedFrom !== undefined) this.#addLosers(revokedFrom);
    }
  }

  /** Users and roles that Stagecraft did not create lose their sessions; the application keeps its connections. */
  #addLosers(name: string): void {
    const mark = readRoleComment(this.found.get(name)?.comment ?? null);
    if (mark === undefined || mark === "person") this.losers.add(name);
    if (mark !== "group") return;
    for (const user of this.found.values())
      if (user.memberships.some(({ of }) => of === name)) this.losers.add(user.name);
  }
}
