import path from "node:path";
import { dueBaseBackup } from "../../../model/point-in-time/due-base-backup";
import type { BaseBackupType } from "../../../model/point-in-time/protocol";
import { archiverFiles, stanzaName } from "../../../model/point-in-time/archive-repository";
import { now } from "../../system/clock";
import { isExternal } from "../../postgres/external-connection";
import { messageOf } from "../../system/errors";
import { withConnection } from "../../postgres/connect";
import { socketFolder } from "../../postgres/target";
import { logLine } from "../../system/progress";
import { configFiles } from "../../server/parameters/config-files";
import { readTextIfExists } from "../../system/atomic-file";
import { removeFile } from "../../system/real-folder";
import { inspectArchiver, claimGap } from "./archiver";
import { hasBackup, lastBaseBackup, makeBaseBackup } from "./base-backup";
import { beginPeriod, endPeriod, readChoice } from "./archive-state";
import { isArchiving, systemIdentifier } from "./switch-archiving";

let isRunning = false;
let lastError = "";

/**
 * Maintains the archive: makes base backups when they are due, the first one as soon as archiving is on, and another
 * first one after a gap. `onGap` receives the time since which WAL was discarded.
 */
export async function maintainArchive(
  server: string,
  onGap: (since: Date) => void = () => undefined,
): Promise<void> {
  if (isRunning || isExternal) return;
  isRunning = true;
  try {
    if ((await readTextIfExists(configFiles.archive)) !== undefined) await maintain(server, onGap);
    lastError = "";
  } catch (error) {
    // Logged once, not at every run.
    if (lastError !== messageOf(error)) logLine(`archive: ${messageOf(error)}`);
    lastError = messageOf(error);
  } finally {
    isRunning = false;
  }
}

async function maintain(server: string, onGap: (since: Date) => void): Promise<void> {
  const stanza = await withConnection("postgres", async (client) => {
    const name = stanzaName(await systemIdentifier(client));
    if (!(await isArchiving(client, server, name))) return undefined;
    // While archiving fails, a backup would fail too.
    return (await inspectArchiver(client)).failure === null ? name : undefined;
  });
  if (stanza === undefined) return;
  const gap = await closeGap(server, stanza);
  if (gap) onGap(gap);
  const type = await dueType(server, stanza);
  if (type === undefined) return;
  const result = await makeBaseBackup(server, type);
  if (result) logLine(result.text);
}

async function dueType(
  server: string,
  stanza: string,
): Promise<BaseBackupType | "first" | undefined> {
  const [choice, last] = await Promise.all([readChoice(), lastBaseBackup()]);
  const isFirst = !(await hasBackup(server, stanza));
  if (isFirst && last?.result !== "failed") return "first";
  return choice && last ? dueBaseBackup(choice, last, now()) : undefined;
}

/** Ends the period before WAL that was discarded and starts a new one after it; returns since when it was, if any. */
async function closeGap(server: string, stanza: string): Promise<Date | undefined> {
  const gap = await claimGap();
  if (!gap) return undefined;
  logLine(
    `the archive has a gap since ${gap.at.toISOString()}: WAL was discarded because too much was waiting to be archived`,
  );
  await endPeriod(server, stanza, gap.at);
  await beginPeriod(server, stanza, new Date());
  await removeFile(path.join(socketFolder, `${archiverFiles.gap}.taken`));
  return gap.at;
}
