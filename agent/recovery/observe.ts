import type { Client } from "pg";
import { nextRuns } from "../../model/backup/cron";
import type {
  ArchiveConfig,
  ArchiveObservation,
  BaseBackupType,
} from "../../model/point-in-time/protocol";
import { archiveFiles, stanzaName } from "../../model/point-in-time/archive-repository";
import { recoverableWindows } from "../../model/point-in-time/recovery-windows";
import { now } from "../system/clock";
import { isExternal } from "../postgres/external-connection";
import { messageOf } from "../system/errors";
import { readInstance } from "./instance/instance";
import { configFiles } from "../server/parameters/config-files";
import { readTextIfExists } from "../system/atomic-file";
import { inspectArchiver } from "./archive/archiver";
import { lastBaseBackup } from "./archive/base-backup";
import { readClusters } from "./archive/archived-clusters";
import { readOwnArchiveState, readChoice } from "./archive/archive-state";
import { isArchiving, systemIdentifier } from "./archive/switch-archiving";

const emptyObservation: ArchiveObservation = {
  on: false,
  choice: null,
  waiting: 0,
  behindSeconds: 0,
  lastArchivedAt: null,
  failure: null,
  problem: null,
  windows: [],
  backups: [],
  lastBackup: null,
  next: [],
  side: null,
};

/** Observes WAL archiving, base backups and the recovery instance. Read-only. */
export async function observeArchive(client: Client, server: string): Promise<ArchiveObservation> {
  if (isExternal) return emptyObservation;
  const isEnabled = (await readTextIfExists(configFiles.archive)) !== undefined;
  if (!isEnabled && !(await hasArchive()))
    return { ...emptyObservation, side: (await readInstance()) ?? null };
  const [archive, archiving, side] = await Promise.all([
    observeRepository(server),
    isEnabled ? observeArchiving(client, server) : undefined,
    readInstance(),
  ]);
  return { ...emptyObservation, ...archive, ...archiving, side: side ?? null };
}

/** Whether anything was ever archived. Also true for an unreadable volume, so that its problem is reported. */
async function hasArchive(): Promise<boolean> {
  return (await readTextIfExists(archiveFiles.config).catch(() => "")) !== undefined;
}

async function observeArchiving(
  client: Client,
  server: string,
): Promise<Partial<ArchiveObservation>> {
  const { lastArchivedAt, ...archiver } = await inspectArchiver(client);
  const choice = await readChoice().catch(() => undefined);
  return {
    ...archiver,
    lastArchivedAt: lastArchivedAt?.toISOString() ?? null,
    on: await isArchiving(client, server, stanzaName(await systemIdentifier(client))),
    choice: choice ?? null,
    next: choice === undefined ? [] : nextBackups(choice),
  };
}

async function observeRepository(server: string): Promise<Partial<ArchiveObservation>> {
  try {
    // Before the list, so that a backup which is said to be made is in it.
    const lastBackup = await lastBaseBackup();
    const clusters = await readClusters(await readOwnArchiveState(server));
    return {
      windows: recoverableWindows(clusters).map(({ first, last }) => {
        return { first: first.toISOString(), last: last.toISOString() };
      }),
      backups: clusters.flatMap(({ info }) =>
        info.backups.map((backup) => ({ ...backup, stoppedAt: backup.stoppedAt.toISOString() })),
      ),
      problem: clusters.flatMap(({ info }) => info.problem ?? []).join("; ") || null,
      lastBackup,
    };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

function nextBackups({ full, differential, timeZone }: ArchiveConfig): ArchiveObservation["next"] {
  const of = (type: BaseBackupType, schedule: string): ArchiveObservation["next"] =>
    nextRuns({ schedule, timeZone }, now(), 1).map((at) => ({ type, at: at.toISOString() }));
  return [...of("full", full), ...of("differential", differential)];
}
