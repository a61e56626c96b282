import type { Client } from "pg";
import { plural } from "../../../model/base/units";
import {
  databaseRoleNames,
  databaseRoles,
  monitorRole,
  superuser,
} from "../../../model/roles/names";
import { isSettingDrift, settingFault } from "../../../model/roles/database-settings";
import { readRoleComment } from "../../../model/roles/mark";
import type { RolesObservation } from "../../../model/roles/protocol";
import type { RecordedRole, RolesRecord } from "../../../model/roles/record";
import { isRemovedRole } from "../../../model/roles/recorded-roles";
import { settingsOf } from "../../../model/roles/role-settings";
import { describeDifference } from "../../../model/roles/rights";
import { isLogin, superuserFaults, visibleFaults } from "../../../model/roles/role";
import type { DatabaseFacts } from "../../../model/restore/protocol";
import { withConnection } from "../../postgres/connect";
import { isExternal } from "../../postgres/external-connection";
import { findClosedDatabases, findDatabaseSettings } from "./database-settings";
import { findRoles } from "./find-roles";
import { managedDatabases } from "./managed-databases";
import { objectOwners, type ObjectOwner } from "./ownership";
import { readRolesRecord } from "./record";
import { openSystemDatabases, findRightsChanges, type OpenDatabase } from "./rights";
import { findStrangers } from "./strangers";

/** Observes the drift of roles and rights on this server; read-only. */
export async function observeRoles(client: Client): Promise<RolesObservation> {
  const restored = await managedDatabases(client);
  const record = await readRolesRecord();
  const databases = restored.filter(({ name }) => isDeclared(record, name));
  const names = databases.map(({ name }) => name);
  const restoredNames = restored.map(({ name }) => name);
  const own = isExternal ? [] : [superuser];
  const found = await findRoles(client, own);
  const marked = [...found.values()].flatMap((role) => {
    const mark = readRoleComment(role.comment);
    return mark === undefined || own.includes(role.name) ? [] : [{ role, mark }];
  });
  const declared = new Map(
    marked.map(({ role, mark }) => {
      const { memberships } = recordedRole(record, role.name) ?? role;
      return [role.name, { mark, memberships }];
    }),
  );
  const known = marked.map(({ role }) => role.name);
  const expected = names.flatMap(databaseRoleNames);
  if (expected.length > 0) expected.push(monitorRole);
  const contents = await observeContents(restored);
  const settings = await findDatabaseSettings(client, names);
  const differences = [
    ...systemDifferences(await openSystemDatabases(client)),
    ...names.flatMap((database) => {
      const texts = contents.get(database)?.differences ?? [];
      return texts.length === 0 ? [] : [{ database, texts: [...texts] }];
    }),
  ];
  const bootstrap = found.get(superuser);
  const closed = await findClosedDatabases(client, names);
  const faults = [
    ...marked.map(({ role, mark }) => {
      const isRemoved = isRemovedRole(role.name, mark, record, restoredNames);
      const recorded = isRemoved ? null : recordedRole(record, role.name);
      const settings = settingsOf(declared.get(role.name) ?? { mark, memberships: [] }, declared);
      return { role: role.name, faults: visibleFaults(role, mark, settings, recorded) };
    }),
    ...(bootstrap && own.length > 0
      ? [
          {
            role: superuser,
            faults: [
              ...superuserFaults(bootstrap).map(({ text }) => text),
              ...bootstrap.members.map(
                ({ member }) => `has the member ${member}, which is not declared`,
              ),
            ],
          },
        ]
      : []),
    {
      role: "ALL",
      faults: settings
        .filter(({ database }) => database === null)
        .map(({ name }) => `has a setting of ${name}`),
    },
  ];
  return {
    recorded: record !== undefined,
    faults: faults.filter(({ faults }) => faults.length > 0),
    missing: [...new Set([...expected, ...Object.keys(record?.roles ?? {})])].filter(
      (name) => !found.has(name),
    ),
    superusers: await otherSuperusers(client, [superuser, ...known]),
    strangers: await findStrangers(
      client,
      known,
      own,
      new Map([...contents].map(([name, { owners }]) => [name, countsOf(owners)])),
    ),
    databases: databases.flatMap(({ name, owner }) => {
      const faults = [
        ...ownerFaults(name, owner, contents.get(name)?.owners ?? []),
        ...settings
          .filter((setting) => setting.database === name)
          .flatMap((setting) => settingFault(setting) ?? []),
        ...closed.filter(({ database }) => database === name).map(({ fault }) => fault),
      ];
      return faults.length === 0 ? [] : [{ database: name, faults }];
    }),
    parameters: names.flatMap((database) => {
      const set = settings.filter(
        (setting) => setting.database === database && !isSettingDrift(setting),
      );
      return set.length === 0 ? [] : [{ database, names: set.map(({ name }) => name) }];
    }),
    rights: differences.map(({ database }) => database),
    ...(differences.length > 0 && { differences }),
    logins: marked
      .filter(({ role, mark }) => role.login && isLogin(mark))
      .map(({ role }) => role.name),
  };
}

/** Whether `up` corrects a database: not one that was only restored, e.g. beside the stack's own by a recovery. */
function isDeclared(record: RolesRecord | undefined, database: string): boolean {
  return record === undefined || Object.hasOwn(record.roles, databaseRoles(database).application);
}

function recordedRole(record: RolesRecord | undefined, name: string): RecordedRole | undefined {
  return record && Object.hasOwn(record.roles, name) ? record.roles[name] : undefined;
}

interface Contents {
  /** What the privileges differ in. */
  readonly differences: readonly string[];
  readonly owners: readonly ObjectOwner[];
}

async function observeContents(
  databases: readonly DatabaseFacts[],
): Promise<ReadonlyMap<string, Contents>> {
  const contents = new Map<string, Contents>();
  for (const { name } of databases) {
    try {
      const found = await withConnection(name, async (client) => ({
        differences: (await findRightsChanges(client, name)).map(describeDifference),
        owners: await objectOwners(client, name),
      }));
      contents.set(name, found);
    } catch {
      // The database is being replaced, and the new one gets its rights.
    }
  }
  return contents;
}

function systemDifferences(
  open: readonly OpenDatabase[],
): { readonly database: string; readonly texts: string[] }[] {
  return [...new Set(open.map(({ name }) => name))].map((database) => ({
    database,
    texts: open
      .filter(({ name }) => name === database)
      .map(({ grantee }) => `${grantee} also has privileges on the database`),
  }));
}

/** Objects of Stagecraft's other roles; `up` reassigns them. */
function ownerFaults(database: string, found: string, owners: readonly ObjectOwner[]): string[] {
  const { owner } = databaseRoles(database);
  return [
    ...(found === owner ? [] : [`belongs to ${found} instead of ${owner}`]),
    ...owners
      .filter(({ isOwn }) => isOwn)
      .map(
        ({ role, count }) =>
          `has ${plural(count, "object")} of ${role} that should belong to ${owner}`,
      ),
  ];
}

function countsOf(owners: readonly ObjectOwner[]): ReadonlyMap<string, number> {
  return new Map(owners.map(({ role, count }) => [role, count]));
}

async function otherSuperusers(client: Client, known: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ rolname: string }>(
    // The bootstrap superuser (oid 10) is always one.
    "SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper AND oid <> 10 AND rolname NOT IN (SELECT current_user UNION SELECT pg_catalog.unnest($1::text[])) ORDER BY rolname",
    [known],
  );
  return rows.map(({ rolname }) => rolname);
}
