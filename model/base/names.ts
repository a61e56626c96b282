import { roleNameProblem } from "./role-name";

/** How many former copies of a database may be kept. */
export const mostPrevious = 5;

const suffixes = ["__incoming", "__previous", "__outgoing", "__checking", "__dry_run"] as const;
const longestSuffix = `__previous${mostPrevious}`;
const suffixPattern = new RegExp(`(${suffixes.join("|")})[1-${mostPrevious}]?$`);

/** The longest database name: PostgreSQL cuts names at 63 bytes, and `__previous2` must still fit behind it. */
export const longestDatabaseName = 63 - longestSuffix.length;

/** What a name of a database must be for Stagecraft to look after it; the sentence that follows "must", or `undefined` when it is fine. */
export function databaseNameProblem(name: string): string | undefined {
  if (name === "") return "not be empty";
  if (name.includes("\0")) return "not contain a zero byte";
  const bytes = Buffer.byteLength(name);
  if (bytes > longestDatabaseName) {
    return `be at most ${longestDatabaseName} bytes long, so that "${longestSuffix}" fits behind it (PostgreSQL cuts names at 63), got ${bytes}`;
  }
  if (["postgres", "template0", "template1"].includes(name)) {
    return "not be one of PostgreSQL's own databases (postgres, template0, template1)";
  }
  const suffix = suffixPattern.exec(name)?.[0];
  if (suffix !== undefined) return `not end in "${suffix}", which marks Stagecraft's own copies`;
  // The application's role has the database's name.
  return roleNameProblem(name);
}

/** Whether a database is a copy that Stagecraft made of another one, by its name. */
export function isOwnCopy(name: string): boolean {
  return suffixes.some((suffix) => name.endsWith(suffix));
}

/** Where a restore goes before it takes the database's name. */
export const incomingName = (database: string): string => `${database}__incoming`;

/** The contents that the last refresh replaced, kept for a rollback; those before it have a number: `__previous2`. */
export const previousName = (database: string, age = 1): string =>
  `${database}__previous${age === 1 ? "" : age}`;

/** Whether a name is that of a former copy. */
export const isPreviousName = (name: string): boolean =>
  suffixPattern.exec(name)?.[1] === "__previous";

/** A copy that nobody keeps, from the swap until it is dropped. */
export const outgoingName = (database: string): string => `${database}__outgoing`;

/** Where a backup of the database is restored to, to see whether it can be. */
export const checkingName = (database: string): string => `${database}__checking`;

/** A copy that upgrade scripts are tried on. */
export const dryRunName = (database: string): string => `${database}__dry_run`;

/** A copy that only lives as long as somebody works on it. */
export interface Leftover {
  /** The database it is a copy of. */
  readonly database: string;
  /** The name by which whoever works on it is known: a restore by its database, a verification or trial by its copy. */
  readonly lock: string;
}

/** What a copy belongs to, by its name; `undefined` for any other database. */
export function leftoverOf(name: string): Leftover | undefined {
  for (const suffix of ["__incoming", "__outgoing", "__checking", "__dry_run"]) {
    if (!name.endsWith(suffix) || name.length === suffix.length) continue;
    const database = name.slice(0, -suffix.length);
    return { database, lock: ["__checking", "__dry_run"].includes(suffix) ? name : database };
  }
  return undefined;
}

/** A moment, by which a backup is known: `20261122T032900Z`. */
export type BackupId = string;

/** Reads a backup id into its moment; `undefined` when it is not one. */
export function parseBackupId(id: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(id);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) || formatBackupId(date) !== id ? undefined : date;
}

/** The backup id of a moment, in UTC. */
export function formatBackupId(moment: Date): BackupId {
  return moment.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** What the name of a dump says: `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ext>`. */
export interface DumpName {
  /** The server it was taken from, e.g. `production`. */
  readonly server: string;
  readonly database: string;
  readonly backup: BackupId;
}

/** Reads the name people give their dumps; `undefined` when it has another form. */
export function parseDumpName(fileName: string): DumpName | undefined {
  const match = /^pg_dump\.([^.]+)\.(.+)\.(\d{8})\.(\d{6})(?:\.[A-Za-z0-9.]+)?$/.exec(fileName);
  if (!match) return undefined;
  const [, server = "", database = "", day = "", time = ""] = match;
  const backup = `${day}T${time}Z`;
  return (
    parseBackupId(backup) && { server: unescaped(server), database: unescaped(database), backup }
  );
}

/** Names in ours have `%20` for a space and so on; one that cannot be read so stands as it is. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The three kinds of server. */
export const serverKinds = ["development", "staging", "production"] as const;
export type ServerKind = (typeof serverKinds)[number];

/** The stacks of the project, in the order in which they are shown, and the kind of server each one is. */
export const stackKinds = {
  dev: "development",
  staging: "staging",
  prod: "production",
} as const satisfies Record<string, ServerKind>;
