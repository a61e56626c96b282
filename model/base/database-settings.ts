import { quoteIdentifier } from "./sql";

/** A parameter set for a database: `ALTER DATABASE … SET`, or for one role `ALTER ROLE … IN DATABASE … SET`. */
export interface StoredSetting {
  /** `null` for all roles. */
  readonly role: string | null;
  readonly name: string;
  /** As PostgreSQL stores it: a list is one text, e.g. `app, public`. */
  readonly value: string;
}

/** What a source of contents says about its database. `undefined` for a source that says nothing, e.g. a plain dump. */
export interface SourceProperties {
  /** Parameters for all roles. */
  readonly settings: readonly Omit<StoredSetting, "role">[];
  /** Maximum number of connections; -1 for no limit. */
  readonly connectionLimit?: number | undefined;
  readonly comment?: string | null | undefined;
}

/** Which parameters of a source are taken over. */
export interface SettingsPolicy {
  /** Everything, because there is no database here whose own ones could apply. */
  readonly all: boolean;
  /** Without parameters of the application (`app.secret`), whose values may be secret. */
  readonly masked: boolean;
}

/** Name of the setting with which a database remembers the parameters that came with its contents. */
export const broughtSetting = "stagecraft.settings";

/** Parameters that decide what SQL and values mean, in lower case. They belong to the contents, others to the server. */
const parametersOfContents = new Set([
  ...["search_path", "client_encoding", "default_text_search_config", "timezone"],
  ...["datestyle", "intervalstyle", "timezone_abbreviations", "extra_float_digits"],
  ...["bytea_output", "xmlbinary", "xmloption", "array_nulls", "transform_null_equals"],
  ...["standard_conforming_strings", "backslash_quote", "escape_string_warning"],
  ...["lc_messages", "lc_monetary", "lc_numeric", "lc_time", "default_transaction_isolation"],
  ...["default_toast_compression", "default_transaction_deferrable", "row_security"],
]);

/** Parameters that a session starts with as somebody else. */
const neverTaken = new Set(["role", "session_authorization", "session_replication_role"]);

/** Whether a name is one of a parameter of an application or extension: `app.mode`. */
export function isCustomParameter(name: string): boolean {
  return name.includes(".");
}

/** Whether a parameter belongs to Stagecraft's record of a database, which every restore replaces. */
function isOwnRecord(name: string): boolean {
  return name.toLowerCase().startsWith("stagecraft.");
}

/** The parameters of a source that a database gets, and the names of those that it does not get. */
export function selectSettings(
  { settings }: Pick<SourceProperties, "settings">,
  { all, masked }: SettingsPolicy,
): { readonly taken: readonly StoredSetting[]; readonly left: readonly string[] } {
  const taken: StoredSetting[] = [];
  const left: string[] = [];
  for (const { name, value } of settings) {
    const lower = name.toLowerCase();
    if (isOwnRecord(name)) continue;
    const isOfContents = isCustomParameter(name) ? !masked : parametersOfContents.has(lower);
    if (!neverTaken.has(lower) && (isOfContents || (all && !isCustomParameter(name))))
      taken.push({ role: null, name, value });
    else left.push(name);
  }
  return { taken, left };
}

/** What a new version of a database gets, by {@link mergeSettings}. */
export interface MergedSettings {
  /** Those that come with the contents. */
  readonly brought: readonly StoredSetting[];
  /** Those that were set for the database here. They win. */
  readonly own: readonly StoredSetting[];
}

/**
 * Merges the parameters of new contents with those of the database that they replace. What somebody has set there stays;
 * what came with the contents before goes with them.
 *
 * @param incoming Parameters of the new contents; `undefined` when their source does not say: then the earlier ones stay
 * @param live All parameters of the database that is replaced
 * @param earlier Those of them that came with its contents
 */
export function mergeSettings(
  incoming: readonly StoredSetting[] | undefined,
  live: readonly StoredSetting[],
  earlier: readonly StoredSetting[],
): MergedSettings {
  const cameWith = new Set(earlier.map(settingKey));
  const present = live.filter(({ name }) => !isOwnRecord(name));
  const own = present.filter((setting) => !cameWith.has(settingKey(setting)));
  const names = new Set(own.map(parameterKey));
  const stays = present.filter((setting) => cameWith.has(settingKey(setting)));
  const brought = (incoming ?? stays).filter((setting) => !names.has(parameterKey(setting)));
  return { brought, own };
}

function parameterKey({ role, name }: StoredSetting): string {
  return JSON.stringify([role, name.toLowerCase()]);
}

function settingKey(setting: StoredSetting): string {
  return JSON.stringify([parameterKey(setting), setting.value]);
}

/** The text with which a database remembers what came with its contents. */
export function renderBrought(settings: readonly StoredSetting[]): string {
  return JSON.stringify(settings.map(({ name, value }) => [name, value]));
}

/** Reads {@link renderBrought}; nothing for a text that is not one: the owner of a database can set any. */
export function parseBrought(text: string | undefined): readonly StoredSetting[] {
  if (text === undefined) return [];
  try {
    const pairs: unknown = JSON.parse(text);
    if (!Array.isArray(pairs)) return [];
    return pairs.flatMap((pair: unknown) => {
      const [name, value] = Array.isArray(pair) ? (pair as unknown[]) : [];
      return typeof name === "string" && typeof value === "string"
        ? [{ role: null, name, value }]
        : [];
    });
  } catch {
    return [];
  }
}

/** Parameters whose value is a list of quoted names. PostgreSQL's source: `GUC_LIST_QUOTE`. */
const lists = new Set([
  ...["search_path", "temp_tablespaces", "local_preload_libraries"],
  ...["session_preload_libraries", "shared_preload_libraries", "unix_socket_directories"],
]);

/** The value of a parameter as constants for `SET`: one, or one for each name of a list. */
export function settingConstants(name: string, value: string): readonly string[] {
  if (!lists.has(name.toLowerCase())) return [value];
  const names = [...value.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,"]+))\s*(?:,|$)/g)];
  if (names.length === 0) return [""];
  return names.map(([, quoted, bare = ""]) =>
    quoted === undefined ? bare.trim() : quoted.replaceAll('""', '"'),
  );
}

/** A list of names as PostgreSQL stores it. */
export function joinConstants(name: string, constants: readonly string[]): string {
  if (!lists.has(name.toLowerCase())) return constants.join(", ");
  return constants
    .map((each) => (/^[a-z_][a-z0-9_$]*$/.test(each) ? each : quoteIdentifier(each)))
    .join(", ");
}
