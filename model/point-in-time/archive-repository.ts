import { z } from "zod";

/** Mount point of the archive volume, in both containers of a server. */
export const archiveFolder = "/var/lib/pgbackrest";

/** Folder of pgBackRest's locks. */
export const lockFolder = "/tmp/pgbackrest";

/** Stagecraft's own files in the archive. */
export const archiveFiles = {
  folder: `${archiveFolder}/stagecraft`,
  config: `${archiveFolder}/stagecraft/pgbackrest.conf`,
  state: `${archiveFolder}/stagecraft/state.json`,
  choice: `${archiveFolder}/stagecraft/choice.json`,
  lastBackup: `${archiveFolder}/stagecraft/last-backup.json`,
} as const;

/** File with the time of PostgreSQL's last write to a cluster's newest archived WAL segment; written by images/stagecraft-pgbackrest. */
export function reachedFile(stanza: string): string {
  return `${archiveFiles.folder}/${stanza}.reached`;
}

/** Files that images/stagecraft-pgbackrest writes to the folder of PostgreSQL's socket: its last error, and the gaps in the archive. */
export const archiverFiles = { said: "stagecraft-archive.said", gap: "stagecraft-archive.gap" };

/** PostgreSQL's `archive_timeout`: one minute, less the time that archiving a segment takes. */
export const archiveTimeoutSeconds = 45;

/** Prefix of stanza names. */
const stanzaPrefix = "cluster-";

/**
 * The stanza of a cluster. A recreated cluster of the same server has another system identifier, so two clusters never
 * write to the same stanza.
 */
export function stanzaName(systemIdentifier: string): string {
  return `${stanzaPrefix}${systemIdentifier}`;
}

/** A time during which archiving was on without interruption; `to` is `null` while it is on. */
export const archivingPeriodSchema = z.strictObject({
  from: z.iso.datetime(),
  to: z.iso.datetime().nullable(),
});
export type ArchivingPeriod = z.infer<typeof archivingPeriodSchema>;

/** The server that the archive belongs to: its file `state.json`. */
export const archiveStateSchema = z.strictObject({
  server: z.string(),
  /** Archiving periods by stanza, oldest first. */
  periods: z.record(z.string(), z.array(archivingPeriodSchema)),
});
export type ArchiveState = z.infer<typeof archiveStateSchema>;

/** Retention, and the limit of waiting WAL. */
export interface RepositoryOptions {
  /** Number of full backups to keep, with their differential backups and WAL. */
  readonly keepFull: number;
  /** Maximum bytes of WAL waiting in PostgreSQL's volume while archiving fails. */
  readonly mostWaiting: number;
}

/** Options of pgBackRest that both containers of a server use. */
const commonOptions = {
  "compress-type": "zst",
  "start-fast": "y",
  // Each container has its own folder for locks; only the agent's makes backups.
  "lock-path": lockFolder,
  "log-level-file": "off",
  "log-level-console": "off",
  "log-level-stderr": "warn",
  "log-timestamp": "n",
};

const clusterOptions = {
  "pg1-path": "/var/lib/postgresql/data/pgdata",
  "pg1-socket-path": "/run/postgresql",
  "pg1-user": "postgres",
};

/**
 * The configuration file of PostgreSQL's archive command, for all clusters of a server. pgBackRest's documentation,
 * "Configuration Reference".
 */
export function renderRepositoryConfig(
  stanzas: readonly string[],
  { keepFull, mostWaiting }: RepositoryOptions,
): string {
  const all = {
    "repo1-path": archiveFolder,
    "repo1-retention-full": keepFull,
    "archive-push-queue-max": mostWaiting,
    ...commonOptions,
  };
  return [
    "# Written by Stagecraft. Change backups.pointInTime of the stack instead.\n",
    section("global", all),
    ...stanzas.map((stanza) => section(stanza, clusterOptions)),
  ].join("");
}

/**
 * The options of the agent's own calls, as pgBackRest's environment variables; those that a command does not have are
 * ignored. @param keepFull Number of full backups to keep. @default all
 */
export function repositoryEnvironment(keepFull?: number): Record<string, string> {
  const options = {
    "repo1-path": archiveFolder,
    ...commonOptions,
    ...clusterOptions,
    ...(keepFull !== undefined && { "repo1-retention-full": keepFull }),
  };
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      `PGBACKREST_${name.toUpperCase().replaceAll("-", "_")}`,
      String(value),
    ]),
  );
}

function section(name: string, options: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(options).map(([key, value]) => `${key}=${value}\n`);
  return `[${name}]\n${lines.join("")}`;
}

/** `stagecraft-archive.conf`, which switches archiving on; the file does not exist while archiving is off. */
export function renderArchiveParameters(server: string, stanza: string): string {
  return [
    "# Written by Stagecraft. Change backups.pointInTime of the stack instead.\n",
    `archive_command = '${renderArchiveCommand(server, stanza)}'\n`,
    `archive_timeout = ${archiveTimeoutSeconds}\n`,
  ].join("");
}

/**
 * PostgreSQL's `archive_command`; the server name needs no quotes (`protocol.ts`). pgBackRest requires its own name in
 * the command.
 */
export function renderArchiveCommand(server: string, stanza: string): string {
  return `stagecraft-pgbackrest ${server} ${stanza} "%p"`;
}
