import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { dumpFileProblem, dumpFolderProblem, headBytes, tailBytes } from "../../model/dump/format";
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

/** What a database is made of: a {@link Dump}, a backup in the repository of a server ({@link backupContents}), or its off-site copy ({@link offsiteContents}). */
export interface Contents {
  /** What it is, as the agent stamps it on the database. */
  readonly source: Source;
  /** Where a dump is, from the project folder or absolute; absent for a backup. */
  readonly path?: string | undefined;
  /** Whether a dump is a folder made with `pg_dump -F d`. */
  readonly isFolder?: boolean | undefined;
  /** Whether a backup may be used that no restore has proven yet. @default false */
  readonly acceptUnverified?: boolean | undefined;
  /** Where an off-site copy is fetched from, with what opens it: secrets. */
  readonly offsite?: OffsiteSource | undefined;
  /** For production: the kind of server that a backup may come from besides production, spelled out. @default none */
  readonly acceptKind?: ServerKind | undefined;
}

/** A dump on this machine that a database can be made of. */
export interface Dump extends Contents {
  readonly path: string;
  readonly isFolder: boolean;
}

/** Which backup of which server a database is made of. */
export interface BackupArgs extends Pick<Contents, "acceptUnverified" | "acceptKind"> {
  /** The volume on the engine that the server keeps its backups in, e.g. `stagecraft-prod-backups`. Another one makes the agent's container anew. */
  readonly repository: string;
  /** Id of the backup, e.g. `20261121T032900Z`. Another one is a refresh. */
  readonly backup: string;
}

/** Contents that the agent finds in the repository of a server on the same engine. */
export function backupContents({ repository, backup, ...accepted }: BackupArgs): Contents {
  return { source: { name: backup, backup, repository }, ...accepted };
}

/** Which off-site copy a database is made of. A copy counts as unverified: `acceptUnverified` has to be `true`. */
export interface OffsiteBackupArgs
  extends z.input<typeof offsiteSourceSchema>, Pick<Contents, "acceptUnverified" | "acceptKind"> {
  /** Id of the backup, e.g. `20261121T032900Z`. Another one is a refresh. */
  readonly backup: string;
}

/**
 * Contents that the agent fetches from the off-site copies of a server, which may be on any machine. Their options and
 * `identity` reach the agent by stdin, and the state encrypted. Throws an error when the place cannot be one.
 */
export function offsiteContents({
  backup,
  acceptUnverified,
  acceptKind,
  ...place
}: OffsiteBackupArgs): Contents {
  const offsite = checkArgs("offsiteContents", offsiteSourceSchema, place);
  const repository = offsiteRepository(offsite);
  return { source: { name: backup, backup, repository }, offsite, acceptUnverified, acceptKind };
}

/** The volume on the engine that contents are read from, if any. */
export function volumeOf({ source, offsite }: Contents): string | undefined {
  return offsite ? undefined : source.repository;
}

/** Looks at a dump without restoring it; the sentence that tells why it cannot be one, if so. */
export function readDump(projectFolder: string, path: string): Dump | { problem: string } {
  const place = resolve(projectFolder, path);
  if (!existsSync(place)) return { problem: notThere(path, place) };
  const isFolder = statSync(place).isDirectory();
  const problem = isFolder
    ? dumpFolderProblem(path, readdirSync(place))
    : readEnds(place, (facts) => dumpFileProblem({ name: path, ...facts }));
  if (problem !== undefined) return { problem };
  const cache = join(projectFolder, ".stagecraft", "cache");
  const sha256 = isFolder ? digestOfFolder(place, cache) : digestOfFile(place, cache);
  return { path, isFolder, source: { name: basename(place), sha256, ...origin(basename(place)) } };
}

function origin(fileName: string): Pick<Source, "backup" | "server"> {
  const name = parseDumpName(fileName);
  return name ? { backup: name.backup, server: name.server } : {};
}

function notThere(path: string, place: string): string {
  const folder = dirname(place);
  if (!existsSync(folder)) return `there is no file ${path}, nor its folder`;
  const meant = nearest(basename(place), readdirSync(folder));
  const fix = meant === undefined ? "give the path from the project folder" : `is it ${meant}?`;
  return `there is no file ${path}; ${fix}`;
}

function readEnds<T>(path: string, use: (facts: FileEnds) => T): T {
  const file = openSync(path, "r");
  try {
    const bytes = statSync(path).size;
    const tail = Math.max(0, bytes - tailBytes);
    return use({
      bytes,
      head: readAt(file, 0, headBytes),
      tail: readAt(file, tail, tailBytes),
    });
  } finally {
    closeSync(file);
  }
}

interface FileEnds {
  readonly bytes: number;
  readonly head: Buffer;
  readonly tail: Buffer;
}

function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, position));
}
