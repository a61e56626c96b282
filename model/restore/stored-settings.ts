import { z } from "zod";

/** `settings.json` of a backup: the parameters that were set, and the properties of the databases. */
export const storedSettingsSchema = z.object({
  settings: z.array(
    z.object({
      name: z.string(),
      setting: z.string().nullable(),
      unit: z.string().nullish(),
      source: z.string(),
    }),
  ),
  databases: z.array(
    z.object({
      name: z.string(),
      owner: z.string(),
      connectionLimit: z.number(),
      /** As `aclitem` in text, e.g. `crm=CTc/crm`; `null` for the default, in which everyone may connect. */
      acl: z.array(z.string()).nullable(),
      /** E.g. `search_path=app, public`. */
      settings: z.array(z.string()),
    }),
  ),
});
export type StoredSettings = z.infer<typeof storedSettingsSchema>;

/** Parameters that say where a server is and not how it behaves; they differ between any two. */
const ofThePlace = new Set([
  ...["config_file", "data_directory", "external_pid_file", "hba_file", "ident_file"],
  ...["cluster_name", "listen_addresses", "port", "unix_socket_directories", "restore_command"],
]);

/** A parameter as it is on the server now. */
export interface PresentParameter {
  readonly name: string;
  readonly setting: string | null;
  readonly unit: string | null;
}

/** The parameters of a backup that the server has otherwise, a sentence each. */
export function parameterDifferences(
  { settings }: Pick<StoredSettings, "settings">,
  present: readonly PresentParameter[],
): string[] {
  const byName = new Map(present.map((parameter) => [parameter.name, parameter]));
  return settings.flatMap(({ name, setting, unit }) => {
    if (ofThePlace.has(name)) return [];
    const now = byName.get(name);
    if (!now) return [`${name} was ${valueText(setting, unit)}, and this server does not know it`];
    if (now.setting === setting) return [];
    return [`${name} was ${valueText(setting, unit)}, and is ${valueText(now.setting, now.unit)}`];
  });
}

/** A database as it is on the server now. */
export interface PresentDatabase {
  readonly name: string;
  readonly owner: string;
  readonly connectionLimit: number;
  readonly settings: readonly string[];
}

/** Properties of a database in a backup that the server's database of this name has otherwise, a sentence each. */
export function databaseDifferences(
  { databases }: Pick<StoredSettings, "databases">,
  { name, owner, connectionLimit, settings }: PresentDatabase,
): string[] {
  const was = databases.find((database) => database.name === name);
  if (!was) return [];
  return [
    ...(was.owner === owner ? [] : [`${name} belonged to ${was.owner}, and belongs to ${owner}`]),
    ...(was.connectionLimit === connectionLimit || was.connectionLimit === -1
      ? []
      : [`${name} had a connection limit of ${was.connectionLimit}`]),
    ...was.settings
      .filter((setting) => !settings.includes(setting))
      .map((setting) => `${name} had the parameter ${setting}`),
  ];
}

/** The roles that could connect to a database of a backup, by name; `"everyone"` without a restriction. */
export function couldConnect(
  { databases }: Pick<StoredSettings, "databases">,
  name: string,
): ReadonlySet<string> | "everyone" {
  const was = databases.find((database) => database.name === name);
  if (!was) return new Set();
  const entries = (was.acl ?? ["=c/"]).flatMap((item) => {
    const [, role = "", privileges = ""] =
      /^("(?:[^"]|"")*"|[^=]*)=([A-Za-z*]*)\//.exec(item) ?? [];
    return privileges.includes("c") ? [role.replace(/^"|"$/g, "").replaceAll('""', '"')] : [];
  });
  return entries.includes("") ? "everyone" : new Set([was.owner, ...entries]);
}

/** The lines of a stored `pg_hba.conf` that the server's file lacks; comments and spacing do not count. */
export function missingHbaLines(stored: string, present: string): string[] {
  const linesOf = (text: string): string[] =>
    text
      .split("\n")
      .map((line) => line.replace(/#.*$/, "").replace(/\s+/g, " ").trim())
      .filter((line) => line !== "");
  const here = new Set(linesOf(present));
  return linesOf(stored).filter((line) => !here.has(line) && !/\bstagecraft_rules_/.test(line));
}

/** Whether a `pg_hba.conf` is one that Stagecraft made from the rules of a stack. */
export function isHbaOfStack(text: string): boolean {
  return /^# (?:Generated|Made) by Stagecraft from the rules of the stack/.test(text);
}

function valueText(setting: string | null, unit?: string | null): string {
  if (setting === null) return "not set";
  return unit == null ? `"${setting}"` : `${setting} ${unit}`;
}
