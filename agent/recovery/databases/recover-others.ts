import type { BackedUpDatabase, Manifest } from "../../../model/backup/manifest";
import { missingDatabases } from "../../../model/backup/missing-databases";
import { databaseNameProblem } from "../../../model/base/names";
import { verdictLine } from "../../../model/import-log/verdict-text";
import { findDatabase } from "../../../model/restore/compatibility";
import type { RestoreRequest, RestoreResult } from "../../../model/restore/protocol";
import type { OtherDatabase, WholeBackup } from "../../../model/restore/whole-backup";
import { databaseNames } from "../../postgres/databases";
import { withConnection } from "../../postgres/connect";
import { readBackupCatalogue } from "../../repository/repository";
import { readManifest } from "../../repository/stored-backup";
import { restoreOnly } from "../../restore/restore";
import { folderOf, type BackupPlace } from "../../restore/source/find-backup";
import { now } from "../../system/clock";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { giveBackRights, serverDifferences } from "./server-files";

/** What a recovery needs to know of its request. */
export type RecoveryRequest = Omit<RestoreRequest, "mode" | "prepare">;

/**
 * Restores the databases of a backup that are missing on the server, each as any restore does, with their roles. A database
 * that cannot be restored does not stop the others, and is named. Nothing is thrown.
 *
 * @param done The databases of the request itself.
 * @param only Names of the databases to restore. @default all that are missing
 */
export async function recoverOthers(
  request: RecoveryRequest,
  place: BackupPlace,
  done: readonly string[],
  only?: readonly string[],
): Promise<WholeBackup> {
  const databases: OtherDatabase[] = [];
  try {
    const manifest = await readManifest(request.source.backup ?? "", folderOf(place));
    if (!manifest) throw new Error("the backup's manifest cannot be read");
    for (const database of await databasesToRestore(manifest, request, done, only))
      databases.push(await recoverDatabase(request, place, database));
    const restored = databases.filter(({ result }) => result === "restored");
    const names = restored.map(({ database }) => database);
    const folder = folderOf(place);
    // Who may connect to the stack's own database is what its stack file says.
    const roles = await giveBackRights(
      { folder, manifest },
      names.filter((name) => name !== request.database),
    );
    const differences = await serverDifferences({ folder, manifest }, [...done, ...names]);
    const more = only ? [] : await inOtherBackups(request.server, databases);
    return { databases, ...roles, differences: [...more, ...roles.differences, ...differences] };
  } catch (error) {
    const text = `the rest of the backup was not read: ${messageOf(error)}`;
    return { databases, roles: [], differences: [text] };
  }
}

/** The databases that are still missing, and that other backups here have. */
async function inOtherBackups(server: string, done: readonly OtherDatabase[]): Promise<string[]> {
  const present = await withConnection("postgres", databaseNames);
  return missingDatabases(await readBackupCatalogue(), present, now())
    .filter(({ database }) => !done.some((one) => one.database === database))
    .map(
      ({ database, backup }) =>
        `${database} is missing, and is in backup ${backup}: npx stagecraft recover ${server} --database ${database}`,
    );
}

async function databasesToRestore(
  manifest: Manifest,
  { database }: RecoveryRequest,
  done: readonly string[],
  only: readonly string[] | undefined,
): Promise<readonly BackedUpDatabase[]> {
  const present = await withConnection("postgres", databaseNames);
  const own = done.includes(database) ? findDatabase(manifest, database) : undefined;
  return manifest.databases.filter(
    (one) =>
      one !== own &&
      // Every server has a database of this name, which a restore does not replace.
      (one.name === "postgres" || !present.has(one.name)) &&
      (only?.includes(one.name) ?? true),
  );
}

async function recoverDatabase(
  request: RecoveryRequest,
  place: BackupPlace,
  { name }: BackedUpDatabase,
): Promise<OtherDatabase> {
  const problem = databaseNameProblem(name);
  if (problem !== undefined) {
    const by = `npx stagecraft backups download ${request.server} ${request.source.backup ?? ""}`;
    const text = `its name must ${problem}, so it is restored only manually, from: ${by}`;
    return { database: name, result: "failed", text };
  }
  logLine(`recover ${name} …`);
  const common = {
    ...request,
    offsite: undefined,
    prepare: undefined,
    mode: "when missing",
  } as const;
  // The roles of another database are not those that the stack declares.
  const other = {
    database: name,
    roles: "create without login",
    encoding: undefined,
    locale: undefined,
  } as const;
  const result = await restoreOnly(name === request.database ? common : { ...common, ...other }, {
    place,
    keepsFetched: true,
  });
  return { database: name, ...outcomeOf(result) };
}

function outcomeOf(result: RestoreResult): Omit<OtherDatabase, "database"> {
  const log = result.log === undefined ? {} : { log: result.log };
  if (result.result === "restored") {
    const verdict = result.verdict ? verdictLine(result.verdict) : "";
    return { result: "restored", text: `${result.source.name}   ${verdict}`, ...log };
  }
  const [, ...lines] = result.text.split("\n");
  const text = lines.map((line) => line.trim().replace(/\s+/g, " ")).join("; ");
  return { result: "failed", text: text === "" ? result.text : text, ...log };
}
