import path from "node:path";
import type { Client } from "pg";
import type { BaseBackupResult, BaseBackupType } from "../../../model/point-in-time/protocol";
import { baseBackupResultSchema } from "../../../model/point-in-time/protocol";
import {
  archiveFiles,
  archiveFolder,
  stanzaName,
} from "../../../model/point-in-time/archive-repository";
import { recoverableWindows } from "../../../model/point-in-time/recovery-windows";
import { formatBytes, formatDuration } from "../../../model/base/units";
import { now } from "../../system/clock";
import { rejectExternal } from "../../postgres/external-connection";
import { AgentError, messageOf } from "../../system/errors";
import { waitForPostgres } from "../../postgres/connect";
import { logLine } from "../../system/progress";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { readClusters } from "./archived-clusters";
import { backrest } from "./pgbackrest";
import { readChoice, readOwnArchiveState } from "./archive-state";
import { isArchiving, systemIdentifier } from "./switch-archiving";
import { advisoryLocks } from "../../postgres/advisory-locks";
import { waitForLock } from "../../postgres/locks";
import { withOwnDatabase } from "../../postgres/own-database";
import { dataFolder } from "../../server/parameters/config-files";
import { findForeignLinks } from "../../system/foreign-links";

/** Advisory lock: one base backup at a time; a second one waits. */
const lock = advisoryLocks.baseBackup;

/**
 * Makes a base backup of the cluster and removes expired ones. A differential one becomes a full one if there is none
 * since archiving was enabled; `first` makes a backup only in that case, and otherwise returns `undefined`. A failure is
 * in the result; nothing is thrown.
 */
export async function makeBaseBackup(
  server: string,
  requested: BaseBackupType | "first",
): Promise<BaseBackupResult | undefined> {
  rejectExternal(server, "base backups are");
  const started = now();
  const startedTicks = performance.now();
  const seconds = (): number => (performance.now() - startedTicks) / 1000;
  const result = (type: BaseBackupType, outcome: BaseBackupResult["result"], text: string) => ({
    result: outcome,
    type,
    startedAt: started.toISOString(),
    text,
    seconds: seconds(),
  });
  let type = requested === "first" ? "full" : requested;
  let done: BaseBackupResult | undefined;
  try {
    await waitForPostgres(60);
    await withOwnDatabase(async (client) => {
      await waitForLock(client, lock, { holder: "another base backup" });
      const stanza = await currentStanza(client, server);
      const isFirst = !(await hasBackup(server, stanza));
      if (requested === "first" && !isFirst) return;
      if (isFirst) type = "full";
      logLine(`base backup, ${type} …`);
      const option = type === "full" ? "full" : "diff";
      // Ends when the backup and the WAL written during it are in the archive.
      await rejectForeignLinks();
      const keepFull = (await readChoice().catch(() => undefined))?.keepFull;
      await backrest("backup", { stanza, keepFull, options: [`--type=${option}`] });
      done = result(type, "backed up", await describe(server, stanza, seconds(), type));
    });
  } catch (error) {
    done = result(type, "failed", messageOf(error));
  }
  if (!done) return undefined;
  // Failing to record it does not invalidate the backup.
  await writeFileAtomically(archiveFiles.lastBackup, JSON.stringify(done)).catch(
    (error: unknown) => {
      logLine(`cannot save the result of the base backup: ${messageOf(error)}`);
    },
  );
  return done;
}

/** The result of the last attempt; `null` when there was none or it cannot be read. */
export async function lastBaseBackup(): Promise<BaseBackupResult | null> {
  const text = await readTextIfExists(archiveFiles.lastBackup);
  if (text === undefined) return null;
  try {
    return baseBackupResultSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whether there is a base backup since archiving was enabled, so that point-in-time recovery is possible. */
export async function hasBackup(server: string, stanza: string): Promise<boolean> {
  const state = await readOwnArchiveState(server);
  const open = state.periods[stanza]?.at(-1);
  if (open?.to !== null) return false;
  const clusters = await readClusters({ ...state, periods: { [stanza]: [open] } });
  return recoverableWindows(clusters).length > 0;
}

/** Throws an {@link AgentError} for a link out of PostgreSQL's volumes: pgBackRest would copy what it leads to. */
async function rejectForeignLinks(): Promise<void> {
  const [link] = await findForeignLinks(dataFolder, [path.dirname(dataFolder), archiveFolder]);
  if (!link) return;
  throw new AgentError(
    `PostgreSQL's data folder has the symbolic link ${link.name} to ${link.target}, which is not in its volume; remove the link: a base backup would contain what it leads to`,
  );
}

async function currentStanza(client: Client, server: string): Promise<string> {
  const stanza = stanzaName(await systemIdentifier(client));
  if (await isArchiving(client, server, stanza)) return stanza;
  throw new AgentError(
    `WAL archiving of ${server} is off, so a base backup would be useless; set backups.pointInTime of the stack, then run pulumi up`,
  );
}

async function describe(
  server: string,
  stanza: string,
  seconds: number,
  type: BaseBackupType,
): Promise<string> {
  const clusters = await readClusters(await readOwnArchiveState(server));
  const backup = clusters.find(({ info }) => info.stanza === stanza)?.info.backups.at(-1);
  const sizes = backup
    ? ` of ${formatBytes(backup.bytes)}, ${formatBytes(backup.storedBytes)} in the archive`
    : "";
  return `base backup, ${type}${sizes}, ${formatDuration(seconds)}`;
}
