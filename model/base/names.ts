import { roleNameProblem } from "./role-name";

/** The most previous versions of a database that can be kept. */
export const maxPreviousVersions = 5;

const suffixes = ["__incoming", "__previous", "__outgoing", "__checking", "__dry_run"] as const;
const longestSuffix = `__previous${maxPreviousVersions}`;
const suffixPattern = new RegExp(`(${suffixes.join("|")})[1-${maxPreviousVersions}]?$`);

/** The longest database name: PostgreSQL truncates names to 63 bytes, and the suffix `__previous5` must fit. */
export const maxDatabaseNameBytes = 63 - longestSuffix.length;

/** Why Stagecraft cannot manage a database of this name, as the rest of a sentence that begins with "must"; `undefined` for a valid name. */
export function databaseNameProblem(name: string): string | undefined {
  if (name === "") return "not be empty";
  if (name.includes("\0")) return "not contain a zero byte";
  const bytes = Buffer.byteLength(name);
  if (bytes > maxDatabaseNameBytes) {
    return `be at most ${maxDatabaseNameBytes} bytes long, so that "${longestSuffix}" can be appended (PostgreSQL truncates names to 63), got ${bytes}`;
  }
  if (["postgres", "template0", "template1"].includes(name)) {
    return "not be one of PostgreSQL's own databases (postgres, template0, template1)";
  }
  const suffix = suffixPattern.exec(name)?.[0];
  if (suffix !== undefined)
    return `not end in "${suffix}", which marks databases that Stagecraft creates`;
  // The application's role has the database's name.
  return roleNameProblem(name);
}

/** Whether a database name has one of Stagecraft's suffixes: a candidate, previous version, verification or the like. */
export function isStagecraftCopy(name: string): boolean {
  return suffixes.some((suffix) => name.endsWith(suffix));
}

/** Name of the candidate database: a restore fills it, then it is swapped in. */
export const candidateName = (database: string): string => `${database}__incoming`;

/** Name of a previous version, kept for a rollback. @param age 1 (default) for the newest, 2 for the one before it: `__previous2` */
export const previousVersionName = (database: string, age = 1): string =>
  `${database}__previous${age === 1 ? "" : age}`;

/** Whether a name is that of a previous version. */
export const isPreviousVersionName = (name: string): boolean =>
  suffixPattern.exec(name)?.[1] === "__previous";

/** Name of a replaced database between the swap and its drop, when no previous version is kept. */
export const outgoingName = (database: string): string => `${database}__outgoing`;

/** Name of the database that a backup is restored to for verification. */
export const verificationName = (database: string): string => `${database}__checking`;

/** Name of the copy that a dry run of upgrade scripts is applied to. */
export const dryRunName = (database: string): string => `${database}__dry_run`;

/** A temporary database; it is a leftover when the operation that created it has ended. */
export interface Leftover {
  /** The managed database it was created for. */
  readonly database: string;
  /** The name that the operation locks: the database for a restore, the temporary database itself for a verification or dry run. */
  readonly lock: string;
}

/** Reads the name of a temporary database; `undefined` for any other database. */
export function parseLeftoverName(name: string): Leftover | undefined {
  for (const suffix of ["__incoming", "__outgoing", "__checking", "__dry_run"]) {
    if (!name.endsWith(suffix) || name.length === suffix.length) continue;
    const database = name.slice(0, -suffix.length);
    return { database, lock: ["__checking", "__dry_run"].includes(suffix) ? name : database };
  }
  return undefined;
}

/** A backup's timestamp in UTC, which is its id: `20261122T032900Z`. */
export type BackupId = string;

/** Parses a backup id into its timestamp; `undefined` when it is invalid. */
export function parseBackupId(id: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(id);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) || formatBackupId(date) !== id ? undefined : date;
}

/** Formats a timestamp as a backup id. */
export function formatBackupId(timestamp: Date): BackupId {
  return timestamp.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** The parts of a dump's file name: `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ext>`. */
export interface DumpName {
  /** The server it was taken from, e.g. `production`. */
  readonly server: string;
  readonly database: string;
  readonly backup: BackupId;
}

/** Parses the file name of a dump; `undefined` when it has another form. */
export function parseDumpName(fileName: string): DumpName | undefined {
  const match = /^pg_dump\.([^.]+)\.(.+)\.(\d{8})\.(\d{6})(?:\.[A-Za-z0-9.]+)?$/.exec(fileName);
  if (!match) return undefined;
  const [, server = "", database = "", day = "", time = ""] = match;
  const backup = `${day}T${time}Z`;
  return parseBackupId(backup) && { server: decode(server), database: decode(database), backup };
}

/** Stagecraft percent-encodes names (`%20` for a space). Invalid encodings, from other tools, are used unchanged. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The three kinds of server. */
export const serverKinds = ["development", "staging", "production"] as const;
export type ServerKind = (typeof serverKinds)[number];

/** The kind of server by stack name, in display order. */
export const stackKinds = {
  dev: "development",
  staging: "staging",
  prod: "production",
} as const satisfies Record<string, ServerKind>;
