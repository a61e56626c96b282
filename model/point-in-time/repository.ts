import { z } from "zod";

/** Where the archive lies, in both containers of a server. */
export const archiveFolder = "/var/lib/pgbackrest";

/** Stagecraft's own files in it. */
export const archiveFiles = {
  folder: `${archiveFolder}/stagecraft`,
  config: `${archiveFolder}/stagecraft/pgbackrest.conf`,
  state: `${archiveFolder}/stagecraft/state.json`,
  choice: `${archiveFolder}/stagecraft/choice.json`,
  lastBackup: `${archiveFolder}/stagecraft/last-backup.json`,
} as const;

/** When PostgreSQL last wrote into the newest segment of a cluster's log that is archived; written by images/stagecraft-pgbackrest. */
export function reachedFile(stanza: string): string {
  return `${archiveFiles.folder}/${stanza}.reached`;
}

/** Written by images/stagecraft-pgbackrest into the folder of PostgreSQL's socket. */
export const archiverFiles = { said: "stagecraft-archive.said", gap: "stagecraft-archive.gap" };

/** How long PostgreSQL may go on in a segment of its log before it hands it over; a minute less what the hand-over takes. */
export const archiveTimeoutSeconds = 45;

/** Tells the server's name at the head of what is archived under it. */
const stanzaPrefix = "cluster-";

/**
 * The part of the archive that a cluster has to itself. Another cluster of the same server, as one that was made anew,
 * has another system identifier, so the two never write into one another's.
 */
export function stanzaName(systemIdentifier: string): string {
  return `${stanzaPrefix}${systemIdentifier}`;
}

/** While archiving was on without a break; `to` is `null` while it is. */
export const periodSchema = z.strictObject({
  from: z.iso.datetime(),
  to: z.iso.datetime().nullable(),
});
export type Period = z.infer<typeof periodSchema>;

/** Whose archive it is: `state.json` in it. */
export const archiveStateSchema = z.strictObject({
  server: z.string(),
  /** By stanza, oldest first. */
  periods: z.record(z.string(), z.array(periodSchema)),
});
export type ArchiveState = z.infer<typeof archiveStateSchema>;

/** How much is kept, and how much may wait. */
export interface RepositorySettings {
  /** Full backups that are kept, with the differential ones and the log that belong to them. */
  readonly keepFull: number;
  /** Bytes of the log that may wait in PostgreSQL's volume when they cannot be archived. */
  readonly mostWaiting: number;
}

/** pgBackRest's settings, for all clusters of a server. pgBackRest's documentation, "Configuration Reference". */
export function renderRepositoryConfig(
  stanzas: readonly string[],
  { keepFull, mostWaiting }: RepositorySettings,
): string {
  const all = {
    "repo1-path": archiveFolder,
    "repo1-retention-full": keepFull,
    "archive-push-queue-max": mostWaiting,
    "compress-type": "zst",
    "start-fast": "y",
    // Both containers have a folder of their own for this; only one of them makes backups.
    "lock-path": "/tmp/pgbackrest",
    "log-level-file": "off",
    "log-level-console": "off",
    "log-level-stderr": "warn",
    "log-timestamp": "n",
  };
  const cluster = {
    "pg1-path": "/var/lib/postgresql/data/pgdata",
    "pg1-socket-path": "/run/postgresql",
    "pg1-user": "postgres",
  };
  return [
    "# Written by Stagecraft. Change backups.pointInTime of the stack instead.\n",
    section("global", all),
    ...stanzas.map((stanza) => section(stanza, cluster)),
  ].join("");
}

function section(name: string, options: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(options).map(([key, value]) => `${key}=${value}\n`);
  return `[${name}]\n${lines.join("")}`;
}

/** `stagecraft-archive.conf`, with which PostgreSQL archives; there is no such file while it does not. */
export function renderArchiveSettings(server: string, stanza: string): string {
  return [
    "# Written by Stagecraft. Change backups.pointInTime of the stack instead.\n",
    `archive_command = '${archiveCommand(server, stanza)}'\n`,
    `archive_timeout = ${archiveTimeoutSeconds}\n`,
  ].join("");
}

/**
 * What PostgreSQL calls with each segment of its log; a server's name needs no quotes (`protocol.ts`). pgBackRest looks
 * for its own name in it.
 */
export function archiveCommand(server: string, stanza: string): string {
  return `stagecraft-pgbackrest ${server} ${stanza} "%p"`;
}
