import { setTimeout as sleep } from "node:timers/promises";
import path from "node:path";
import type { Client } from "pg";
import type { Manifest } from "../../../model/backup/manifest";
import { quoteIdentifier as q } from "../../../model/base/sql";
import {
  lostMemberships,
  lostRoleRights,
  readGlobals,
  type GlobalRole,
  type PresentRole,
} from "../../../model/restore/globals";
import {
  couldConnect,
  databaseDifferences,
  isHbaOfStack,
  missingHbaLines,
  parameterDifferences,
  storedSettingsSchema,
  type PresentDatabase,
  type PresentParameter,
  type StoredSettings,
} from "../../../model/restore/stored-settings";
import type { WholeBackup } from "../../../model/restore/whole-backup";
import { withConnection } from "../../postgres/connect";
import { sha256Of } from "../../system/digest";
import { readIfRegularFile } from "../../system/regular-file";

/** How long the access rules of the stack may take, which the same update applies, and how often they are looked for. */
const rulesSeconds = 20;
const lookSeconds = 0.5;

/** A backup whose files of the server are read. */
export interface OpenedBackup {
  /** Its folder's parent. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * Gives the roles of a backup that exist now their memberships among each other, and the right to connect to the restored
 * databases; returns what else they had.
 *
 * @param databases The restored databases.
 */
export async function giveBackRights(
  backup: OpenedBackup,
  databases: readonly string[],
): Promise<Pick<WholeBackup, "roles" | "differences">> {
  const text = await readStored(backup, "globals.sql");
  if (text === undefined) return unread("globals.sql");
  const roles = readGlobals(text);
  const settings = await readSettings(backup);
  return withConnection("postgres", async (client) => {
    const before = await presentRoles(client);
    for (const { role, memberOf } of lostMemberships(roles, before))
      await client.query(`GRANT ${q(memberOf)} TO ${q(role)}`);
    for (const database of databases)
      for (const role of rolesToConnect(roles, before, settings, database))
        await client.query(`GRANT CONNECT ON DATABASE ${q(database)} TO ${q(role)}`);
    return { roles: lostRoleRights(roles, await presentRoles(client)), differences: [] };
  });
}

/** The roles of others that could connect to a database, and exist now. */
function rolesToConnect(
  roles: readonly GlobalRole[],
  present: readonly PresentRole[],
  settings: StoredSettings | undefined,
  database: string,
): string[] {
  if (!settings) return [];
  const allowed = couldConnect(settings, database);
  const names = new Set(roles.map(({ name }) => name));
  return present
    .filter(({ name, isManaged, attributes }) => {
      const isForeign = names.has(name) && !isManaged && !attributes.includes("SUPERUSER");
      return isForeign && (allowed === "everyone" || allowed.has(name));
    })
    .map(({ name }) => name);
}

/** What the backup has of parameters and access rules that the server, and so the stack file, has not: a sentence each. */
export async function serverDifferences(
  backup: OpenedBackup,
  databases: readonly string[],
): Promise<string[]> {
  const settings = await readSettings(backup);
  const differences = settings ? await settingsDifferences(settings, databases) : [];
  const hba = await readStored(backup, "pg_hba.conf");
  const ident = await readStored(backup, "pg_ident.conf");
  return [
    ...(settings ? [] : unread("settings.json").differences),
    ...differences,
    ...(hba === undefined ? unread("pg_hba.conf").differences : await hbaDifferences(hba)),
    ...(ident === undefined ? [] : await identDifferences(ident)),
  ];
}

async function settingsDifferences(
  settings: StoredSettings,
  databases: readonly string[],
): Promise<string[]> {
  return withConnection("postgres", async (client) => {
    const { rows: parameters } = await client.query<PresentParameter>(
      "SELECT name, setting, unit FROM pg_settings",
    );
    const { rows: present } = await client.query<PresentDatabase>(
      `SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, d.datconnlimit AS "connectionLimit",
              ARRAY(SELECT s FROM pg_db_role_setting r, unnest(r.setconfig) s
                    WHERE r.setdatabase = d.oid AND r.setrole = 0) AS settings
       FROM pg_database d WHERE d.datname = ANY ($1) ORDER BY d.datname COLLATE "C"`,
      [databases],
    );
    return [
      ...present.flatMap((database) => databaseDifferences(settings, database)),
      ...parameterDifferences(settings, parameters).map((text) => `parameter ${text}`),
    ];
  });
}

async function hbaDifferences(stored: string): Promise<string[]> {
  const wasManaged = isHbaOfStack(stored);
  const deadline = performance.now() + rulesSeconds * 1000;
  for (;;) {
    const present = await readServerFile("hba_file");
    if (!wasManaged || isHbaOfStack(present))
      return missingHbaLines(stored, present).map((line) => `pg_hba.conf had: ${line}`);
    if (performance.now() > deadline)
      return [
        "the access rules of the stack are not applied yet; compare pg_hba.conf of the backup with: npx stagecraft access",
      ];
    await sleep(lookSeconds * 1000);
  }
}

async function identDifferences(stored: string): Promise<string[]> {
  const present = await readServerFile("ident_file");
  return missingHbaLines(stored, present).map((line) => `pg_ident.conf had: ${line}`);
}

async function readServerFile(parameter: "hba_file" | "ident_file"): Promise<string> {
  return withConnection("postgres", async (client) => {
    const { rows } = await client.query<{ text: string }>(
      "SELECT pg_read_file(current_setting($1)) AS text",
      [parameter],
    );
    return rows[0]?.text ?? "";
  });
}

async function presentRoles(client: Client): Promise<PresentRole[]> {
  const { rows } = await client.query<PresentRole>(
    `SELECT r.rolname AS name,
            array_remove(ARRAY[CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
              CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolcanlogin THEN 'LOGIN' END,
              CASE WHEN r.rolreplication THEN 'REPLICATION' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS attributes,
            ARRAY(SELECT pg_get_userbyid(m.roleid)::text FROM pg_auth_members m WHERE m.member = r.oid) AS "memberOf",
            EXISTS (SELECT FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0) AS settings,
            coalesce(shobj_description(r.oid, 'pg_authid') LIKE 'stagecraft: %', false) AS "isManaged"
     FROM pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname COLLATE "C"`,
  );
  return rows;
}

async function readSettings(backup: OpenedBackup): Promise<StoredSettings | undefined> {
  const text = await readStored(backup, "settings.json");
  try {
    return text === undefined ? undefined : storedSettingsSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A file of the server in a backup, if it is what the manifest says. */
async function readStored(
  { folder, manifest }: OpenedBackup,
  name: string,
): Promise<string | undefined> {
  const listed = manifest.files.find((file) => file.path === name);
  const bytes = listed && (await readIfRegularFile(path.join(folder, manifest.id, name)));
  return bytes && sha256Of(bytes) === listed.sha256 ? bytes.toString("utf8") : undefined;
}

function unread(name: string): { roles: string[]; differences: string[] } {
  return { roles: [], differences: [`${name} of the backup is missing or was altered: not read`] };
}
