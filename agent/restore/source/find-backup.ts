import path from "node:path";
import type { Client } from "pg";
import { compareFiles, backupProblemsText } from "../../../model/backup/manifest-comparison";
import { nearestIds } from "../../../model/backup/nearest-ids";
import type { BackedUpDatabase, Manifest } from "../../../model/backup/manifest";
import { findDatabase, compatibilityProblems } from "../../../model/restore/compatibility";
import type { RestoreRequest } from "../../../model/restore/protocol";
import type { Authenticity } from "../../../model/backup/authenticity";
import type { Verification } from "../../../model/backup/catalogue";
import { authenticityOf } from "../../repository/authenticity";
import { findFiles } from "../../repository/backup-files";
import { ownTrust } from "../../repository/own-trust";
import { trustFrom } from "../../repository/trusted-keys";
import { readVerification } from "../../repository/repository";
import {
  backupFolder,
  listBackupIds,
  readStoredManifest,
  repositoryFolder,
  type StoredManifest,
} from "../../repository/stored-backup";
import { AgentError } from "../../system/errors";
import { fetchedFolder } from "./fetch-offsite";
import { sourceTrust } from "./source-trust";

/** Mount point of another server's backup volume, read-only. */
export const sourceFolder = process.env.STAGECRAFT_SOURCE ?? "/var/backups/source";

/** Name of the volume mounted there, if any. */
export const sourceVolume = process.env.STAGECRAFT_SOURCE_VOLUME;

/** Where a backup is read from: another server's volume, a folder that an off-site copy was fetched into, or this server's own repository. */
export type BackupPlace =
  { readonly kind: "mounted" | "own" } | { readonly kind: "fetched"; readonly folder: string };

/** The place that a request names. */
export function placeOf({ offsite, database }: RestoreRequest): BackupPlace {
  return offsite ? { kind: "fetched", folder: fetchedFolder(database) } : { kind: "mounted" };
}

/** The folder that has the backup as a folder of its id. */
export function folderOf(place: BackupPlace): string {
  if (place.kind === "fetched") return place.folder;
  return place.kind === "own" ? repositoryFolder : sourceFolder;
}

/** Whether the volume of the request is mounted; `pulumi up` recreates an agent that needs another one. */
export function isRepositoryMounted({ source, offsite }: RestoreRequest): boolean {
  return offsite !== undefined || source.repository === sourceVolume;
}

/** A database in a backup that can be restored here. */
export interface FoundBackup {
  readonly manifest: Manifest;
  readonly verification: Verification | null;
  /** Whether it is genuine; `undefined` for a fetched copy, which was judged when it was fetched. */
  readonly authenticity: Authenticity | undefined;
  readonly database: BackedUpDatabase;
  /** The backup's folder. */
  readonly folder: string;
  /** Path of its dump. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Size of the dump. */
  readonly bytes: number;
}

/** Finds the requested backup; throws an {@link AgentError} with all reasons why it cannot be restored. */
export async function findBackup(
  client: Client,
  request: RestoreRequest,
  place = placeOf(request),
): Promise<FoundBackup> {
  const { backup = "", repository = "" } = request.source;
  if (place.kind === "mounted" && !isRepositoryMounted(request)) {
    throw new AgentError(
      `volume ${repository} is not mounted in the agent's container; run pulumi up again`,
    );
  }
  const folder = folderOf(place);
  const stored = await readStoredManifest(backup, folder);
  if (!stored) throw new AgentError(await missingBackupText(request, folder));
  const { manifest } = stored;
  const judged = place.kind === "fetched" ? undefined : await judge(request, stored, place);
  const database = findDatabase(manifest, request.database);
  if ("problem" in database) throw new AgentError(database.problem);
  const { authenticity, verification = null } = judged ?? {};
  const found = { manifest, verification };
  const problems = compatibilityProblems(found, database, request, await readTarget(client));
  if (problems.length > 0) throw new AgentError(problems.join("\n"));
  const bytes = filesOf(manifest, database).reduce((sum, file) => sum + file.bytes, 0);
  return {
    manifest,
    verification,
    authenticity,
    database,
    bytes,
    isFolder: database.format === "directory",
    folder: backupFolder(backup, folder),
    path: path.join(backupFolder(backup, folder), database.dump),
  };
}

/** Whether a backup in a volume is genuine, and its verification; throws an {@link AgentError} when it is not. */
async function judge(
  { source: { backup = "", repository = "" }, signedBy, accept }: RestoreRequest,
  stored: StoredManifest,
  place: BackupPlace,
): Promise<Pick<FoundBackup, "authenticity" | "verification">> {
  const folder = folderOf(place);
  const trust =
    place.kind === "own" ? await ownTrust() : await sourceTrust(repository, folder, signedBy);
  const accepted = accept === undefined ? [] : [accept];
  const authenticity = await authenticityOf(backup, stored, trust, {
    repository: folder,
    accepted,
  });
  if (authenticity.problem !== null) throw new AgentError(authenticity.problem);
  const verification = await readVerification(backup, folder, trust, authenticity);
  return { authenticity, verification };
}

/** Trusts the key of a backup in another server's volume from now on, because it is restored. */
export async function trustSource(
  { source: { repository = "" }, signedBy }: RestoreRequest,
  { authenticity }: FoundBackup,
  place: BackupPlace,
): Promise<void> {
  if (!authenticity || place.kind !== "mounted") return;
  await trustFrom(repository, await sourceTrust(repository, sourceFolder, signedBy), authenticity);
}

/** The files of one database's dump. */
function filesOf({ files }: Manifest, database: BackedUpDatabase): Manifest["files"] {
  return files.filter(isOf(database));
}

/** Whether a file belongs to the dump of a database. */
function isOf({ dump }: BackedUpDatabase): (file: { readonly path: string }) => boolean {
  return (file) => file.path === dump || file.path.startsWith(`${dump}/`);
}

/** Compares the files of a database's dump with the manifest; throws an {@link AgentError} with the differences. */
export async function checkFiles({ manifest, database, folder }: FoundBackup): Promise<void> {
  const expected = filesOf(manifest, database);
  const found = await findFiles(folder, expected, []);
  // Other files in the folder do not belong to this dump.
  const problems =
    expected.length === 0
      ? [`its manifest lists no file of ${database.dump}`]
      : compareFiles(expected, found.filter(isOf(database)));
  if (problems.length === 0) return;
  throw new AgentError(`${backupProblemsText(manifest.id, problems)}\nuse another backup`);
}

async function missingBackupText({ source }: RestoreRequest, folder: string): Promise<string> {
  const { backup = "", repository = "" } = source;
  const ids = await listBackupIds(folder);
  if (ids.length === 0) {
    return `no backup ${backup}: ${repository} has no backups; make one on its server with: npx stagecraft backup <stack>`;
  }
  return `no backup ${backup} in ${repository}; the nearest: ${nearestIds(backup, ids).join(", ")}`;
}

async function readTarget(client: Client) {
  const { rows } = await client.query<{ major: number; extensions: string[] }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major,
            (SELECT array_agg(name::text) FROM pg_available_extensions) AS extensions`,
  );
  const [found] = rows;
  return { major: found?.major ?? 0, extensions: new Set(found?.extensions) };
}
