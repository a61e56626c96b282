import { missingDatabases, newestBackupOf } from "../../../model/backup/missing-databases";
import type { BackupId } from "../../../model/base/names";
import type { RecoverRequest, RecoverResult } from "../../../model/restore/recover-protocol";
import type { WholeBackup } from "../../../model/restore/whole-backup";
import { shortenWholeBackup, wholeBackupLines } from "../../../model/restore/whole-backup";
import { databaseNames } from "../../postgres/databases";
import { withConnection } from "../../postgres/connect";
import { missingBackupText } from "../../repository/offsite-only";
import { readBackupCatalogue } from "../../repository/repository";
import { now } from "../../system/clock";
import { AgentError } from "../../system/errors";
import { recoverOthers, type RecoveryRequest } from "./recover-others";

/**
 * Restores databases that are in the server's own backups and missing on the server; never one that exists. Throws an
 * {@link AgentError} when a requested one exists, or no backup has it.
 */
export async function recoverMissing(request: RecoverRequest): Promise<RecoverResult> {
  const { server, own } = request;
  const parts: WholeBackup[] = [];
  for (const [backup, databases] of await chooseBackups(request)) {
    const recovery: RecoveryRequest = {
      ...{ server, kind: request.kind, database: own.database, keepPrevious: 1 },
      source: { name: backup, backup, repository: "own" },
      restoreId: `${backup}-recovered`,
      acceptUnverified: request.acceptUnverified,
      accept: request.accept,
      roles: own.roles,
    };
    parts.push(await recoverOthers(recovery, { kind: "own" }, [], databases));
  }
  const others = shortenWholeBackup({
    databases: parts.flatMap(({ databases }) => databases),
    roles: distinct(parts.flatMap(({ roles }) => roles)),
    differences: distinct(parts.flatMap(({ differences }) => differences)),
  });
  const text =
    others.databases.length === 0
      ? `${server} has all databases that its backups have`
      : wholeBackupLines(server, others).join("\n");
  return { others, text };
}

/** The databases to restore, by backup. */
async function chooseBackups({
  server,
  backup,
  databases,
  acceptUnverified = false,
}: RecoverRequest): Promise<ReadonlyMap<BackupId, string[]>> {
  const catalogue = await readBackupCatalogue();
  const present = await withConnection("postgres", databaseNames);
  const existing = databases?.find((name) => present.has(name));
  if (existing !== undefined)
    throw new AgentError(
      `database ${existing} of ${server} exists, and recover only restores what is missing; to go back to an earlier time, use: npx stagecraft pitr ${server}`,
    );
  if (backup !== undefined) {
    const entry = catalogue.find(({ id }) => id === backup);
    if (!entry?.backup) throw new AgentError(await missingBackupText(backup));
    const names = entry.backup.databases.map(({ name }) => name);
    const unknown = databases?.find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new AgentError(
        `backup ${backup} has no database ${unknown}; it has ${names.join(", ")}`,
      );
    return new Map([[backup, databases ?? names.filter((name) => name !== "postgres")]]);
  }
  const wanted =
    databases ?? missingDatabases(catalogue, present, now()).map(({ database }) => database);
  const chosen = new Map<BackupId, string[]>();
  for (const name of wanted) {
    const newest = newestBackupOf(catalogue, name, acceptUnverified, now());
    if (newest === undefined) throw new AgentError(noBackupText(server, name, acceptUnverified));
    chosen.set(newest, [...(chosen.get(newest) ?? []), name]);
  }
  return chosen;
}

function noBackupText(server: string, name: string, acceptUnverified: boolean): string {
  return acceptUnverified
    ? `no backup here has a database ${name}; to fetch an off-site copy first: npx stagecraft backups offsite ${server}`
    : `no verified backup here has a database ${name}; verify one: npx stagecraft backups verify ${server}, or add --accept-unverified; to fetch an off-site copy first: npx stagecraft backups offsite ${server}`;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
