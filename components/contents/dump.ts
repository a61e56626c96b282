import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ClusterDatabases } from "../../model/dump/cluster-databases";
import {
  closingProblem,
  clusterProblem,
  dumpFileProblem,
  dumpFolderProblem,
  oneDatabaseProblem,
  headBytes,
  isClusterDump,
  isPlainFile,
  lastMark,
  markBytes,
} from "../../model/dump/format";
import type { DumpMark } from "../../model/dump/dump-marks";
import { parseDumpName, type ServerKind } from "../../model/base/names";
import type { Source } from "../../model/restore/protocol";
import { nearest } from "../../model/base/nearest";
import { digestOfFile, digestOfFolder } from "../engine/digest";
import type { z } from "zod";
import {
  offsiteRepository,
  offsiteSourceSchema,
  type OffsiteSource,
} from "../../model/restore/offsite-source";
import { checkArgs } from "../engine/check-args";

/** What a database is restored from: a {@link Dump}, a backup in the repository of a server ({@link backupContents}), or its off-site copy ({@link offsiteContents}). */
export interface Contents {
  /** Its description, as the agent stamps it on the database. */
  readonly source: Source;
  /** Path of a dump, from the project folder or absolute; absent for a backup. */
  readonly path?: string | undefined;
  /** Whether a dump is a folder written by `pg_dump -F d`. */
  readonly isFolder?: boolean | undefined;
  /** Whether an unverified backup may be used. @default false */
  readonly acceptUnverified?: boolean | undefined;
  /** Where an off-site copy is fetched from, with credentials and identity: secrets. */
  readonly offsite?: OffsiteSource | undefined;
  /** For production: the kind of server other than production that a backup may come from. @default none */
  readonly acceptKind?: ServerKind | undefined;
  /** For production: whether a dump that has tables and no rows may be used. @default false */
  readonly acceptSchemaOnly?: boolean | undefined;
  /** Public key of the server that made the backup, e.g. `"ed25519:…"`. @default the key of its first signed backup that is restored */
  readonly signedBy?: string | undefined;
  /** Digest of the manifest of a backup that is used although its signature is missing or wrong: `"sha256:…"`. @default none */
  readonly accept?: string | undefined;
  /** For production: newest backup whose contents may be newer than these. @default none: older contents than its backups have are rejected */
  readonly acceptOlder?: string | undefined;
}

type Accepted = Pick<
  Contents,
  "acceptUnverified" | "acceptKind" | "signedBy" | "accept" | "acceptOlder"
>;

/** A dump on this machine. */
export interface Dump extends Contents {
  readonly path: string;
  readonly isFolder: boolean;
}

/** A backup in the repository of a server. */
export interface BackupArgs extends Accepted {
  /** The volume with the server's backups, e.g. `stagecraft-prod-backups`. A change recreates the agent's container. */
  readonly repository: string;
  /** Id of the backup, e.g. `20261121T032900Z`. Another one is a refresh. */
  readonly backup: string;
}

/** Contents that the agent finds in the repository of a server on the same engine. */
export function backupContents({ repository, backup, ...accepted }: BackupArgs): Contents {
  return { source: { name: backup, backup, repository }, ...accepted };
}

/** An off-site copy of a backup. A copy counts as unverified: `acceptUnverified` must be `true`. */
export interface OffsiteBackupArgs extends z.input<typeof offsiteSourceSchema>, Accepted {
  /** Id of the backup, e.g. `20261121T032900Z`. Another one is a refresh. */
  readonly backup: string;
}

/**
 * Contents that the agent fetches from the off-site copies of a server, which may be on any machine. Options and `identity`
 * are sent to the agent on stdin and encrypted in the state. Raises a `UserError` for an invalid storage.
 */
export function offsiteContents({
  backup,
  acceptUnverified,
  acceptKind,
  signedBy,
  accept,
  acceptOlder,
  ...storage
}: OffsiteBackupArgs): Contents {
  const offsite = checkArgs("offsiteContents", offsiteSourceSchema, storage);
  const repository = offsiteRepository(offsite);
  const accepted = { acceptUnverified, acceptKind, signedBy, accept, acceptOlder };
  return { source: { name: backup, backup, repository }, offsite, ...accepted };
}

/** The volume on the engine that contents are read from, if any. */
export function volumeOf({ source, offsite }: Contents): string | undefined {
  return offsite ? undefined : source.repository;
}

/**
 * Inspects a dump without restoring it; returns the problem if it is not a dump.
 *
 * @param database The database to restore, if it is the dump of a whole cluster.
 */
export function readDump(
  projectFolder: string,
  path: string,
  database?: string,
): Dump | { problem: string } {
  const absolute = resolve(projectFolder, path);
  if (!existsSync(absolute)) return { problem: missingDump(path, absolute) };
  const isFolder = statSync(absolute).isDirectory();
  const problem = isFolder
    ? dumpFolderProblem(path, readdirSync(absolute))
    : fileProblem(absolute, path, database);
  if (problem !== undefined) return { problem };
  const cache = join(projectFolder, ".stagecraft", "cache");
  const sha256 = isFolder ? digestOfFolder(absolute, cache) : digestOfFile(absolute, cache);
  return {
    path,
    isFolder,
    source: {
      ...{ name: basename(absolute), sha256, ...origin(basename(absolute)) },
      ...(database !== undefined && { database }),
    },
  };
}

function origin(fileName: string): Pick<Source, "backup" | "server"> {
  const name = parseDumpName(fileName);
  return name ? { backup: name.backup, server: name.server } : {};
}

function missingDump(path: string, absolute: string): string {
  const folder = dirname(absolute);
  if (!existsSync(folder)) return `there is no file ${path}, nor its folder`;
  const meant = nearest(basename(absolute), readdirSync(folder));
  const fix = meant === undefined ? "give the path from the project folder" : `is it ${meant}?`;
  return `there is no file ${path}; ${fix}`;
}

/** Bytes read at once. */
const chunkBytes = 2 ** 20;

function fileProblem(path: string, name: string, database: string | undefined): string | undefined {
  const file = openSync(path, "r");
  try {
    const bytes = statSync(path).size;
    const head = readAt(file, 0, headBytes);
    const problem = dumpFileProblem({ name, bytes, head });
    if (problem !== undefined || !isPlainFile(head)) return problem;
    if (isClusterDump(head)) {
      const databases = readDatabases(file, bytes);
      if (database === undefined || !databases.has(database))
        return clusterProblem(name, databases.names);
    } else if (database !== undefined) return oneDatabaseProblem(name);
    return closingProblem(name, findLastMark(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** The last mark in a file, read from its end: frameworks append statements of any length. */
function findLastMark(file: number, bytes: number): DumpMark | undefined {
  for (let end = bytes; end > 0; end -= chunkBytes) {
    const from = Math.max(0, end - chunkBytes - markBytes);
    const mark = lastMark(readAt(file, from, end - from));
    if (mark !== undefined) return mark;
  }
  return undefined;
}

function readDatabases(file: number, bytes: number): ClusterDatabases {
  const databases = new ClusterDatabases();
  for (let at = 0; at < bytes; at += chunkBytes) databases.push(readAt(file, at, chunkBytes));
  return databases;
}

function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, position));
}
