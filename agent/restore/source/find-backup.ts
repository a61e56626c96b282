import path from "node:path";
import type { Client } from "pg";
import { compareFiles, backupProblemsText } from "../../../model/backup/manifest-comparison";
import { nearestIds } from "../../../model/backup/nearest-ids";
import type { BackedUpDatabase, Manifest } from "../../../model/backup/manifest";
import { findDatabase, compatibilityProblems } from "../../../model/restore/compatibility";
import type { RestoreRequest } from "../../../model/restore/protocol";
import { findFiles } from "../../repository/backup-files";
import {
  backupFolder,
  listBackupIds,
  readManifest,
  readVerification,
} from "../../repository/repository";
import { AgentError } from "../../system/errors";
import { fetchedFolder } from "./fetch-offsite";

/** Another server's backups, which this agent only reads. */
export const sourceFolder = process.env.STAGECRAFT_SOURCE ?? "/var/backups/source";

/** The name of the volume that is there, if any. */
const sourceVolume = process.env.STAGECRAFT_SOURCE_VOLUME;

/** Whether this agent reads the volume that a request means; one that is to get another is made anew by the update. */
export function isRepositoryMounted({ source, offsite }: RestoreRequest): boolean {
  return offsite !== undefined || source.repository === sourceVolume;
}

/** A database in a backup, found fit to be restored here. */
export interface FoundBackup {
  readonly manifest: Manifest;
  readonly database: BackedUpDatabase;
  /** The backup's folder. */
  readonly folder: string;
  /** Where its dump is. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Size of the dump. */
  readonly bytes: number;
}

/** Finds the backup that a request names; throws an {@link AgentError} with all that speaks against it. */
export async function findBackup(client: Client, request: RestoreRequest): Promise<FoundBackup> {
  const { backup = "", repository = "" } = request.source;
  if (!isRepositoryMounted(request)) {
    throw new AgentError(
      `the agent does not read the volume ${repository}; its container is of another stack file, run pulumi up again`,
    );
  }
  const folder = request.offsite ? fetchedFolder(request.database) : sourceFolder;
  const manifest = await readManifest(backup, folder);
  if (!manifest) throw new AgentError(await missingBackupText(request));
  const database = findDatabase(manifest, request.database);
  if ("problem" in database) throw new AgentError(database.problem);
  const verification = await readVerification(backup, folder);
  const known = { manifest, verification };
  const problems = compatibilityProblems(known, database, request, await readTarget(client));
  if (problems.length > 0) throw new AgentError(problems.join("\n"));
  const bytes = filesOf(manifest, database).reduce((sum, file) => sum + file.bytes, 0);
  return {
    ...{ manifest, database, bytes, isFolder: database.format === "directory" },
    folder: backupFolder(backup, folder),
    path: path.join(backupFolder(backup, folder), database.dump),
  };
}

/** The files of one database's dump. */
function filesOf({ files }: Manifest, { dump }: BackedUpDatabase): Manifest["files"] {
  return files.filter((file) => file.path === dump || file.path.startsWith(`${dump}/`));
}

/** Compares the files of a database's dump with the manifest; throws an {@link AgentError} that names what differs. */
export async function checkFiles({ manifest, database, folder }: FoundBackup): Promise<void> {
  const wanted = filesOf(manifest, database);
  const names = new Set(wanted.map(({ path: file }) => file));
  const found = await findFiles(folder, wanted, []);
  // What else is in the folder is no part of this dump.
  const problems = compareFiles(
    wanted,
    found.filter(({ path: file }) => names.has(file)),
  );
  if (problems.length === 0) return;
  throw new AgentError(`${backupProblemsText(manifest.id, problems)}\ntake another backup`);
}

async function missingBackupText({ source }: RestoreRequest): Promise<string> {
  const { backup = "", repository = "" } = source;
  const ids = await listBackupIds(sourceFolder);
  if (ids.length === 0) {
    return `no backup ${backup}: there is none in ${repository}; make one on the server it belongs to: npx stagecraft backup <stack>`;
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
