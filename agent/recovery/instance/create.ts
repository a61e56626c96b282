import { mkdir, rm, stat, statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { reservedBytes } from "../../../model/dump/disk-space";
import { archiveFolder, stanzaName } from "../../../model/point-in-time/archive-repository";
import type {
  RecoveryInstance,
  RecoveryInstanceRequest,
} from "../../../model/point-in-time/protocol";
import { archiveEndedEarly } from "../../../model/point-in-time/recovery-log";
import {
  parseTarget,
  targetText,
  utcText,
  type RecoveryTarget,
} from "../../../model/point-in-time/recovery-target";
import {
  planRecovery,
  recoverableWindows,
  unrecoverableText,
  type ArchivedCluster,
  type RecoveryPlan,
} from "../../../model/point-in-time/recovery-windows";
import { formatBytes } from "../../../model/base/units";
import { now } from "../../system/clock";
import { rejectExternal } from "../../postgres/external-connection";
import { AgentError, messageOf } from "../../system/errors";
import { archiveAll } from "../archive/archiver";
import { readClusters } from "../archive/archived-clusters";
import { backrest } from "../archive/pgbackrest";
import { readOwnArchiveState } from "../archive/archive-state";
import { isArchiving, systemIdentifier } from "../archive/switch-archiving";
import { connect } from "../../postgres/connect";
import { logLine } from "../../system/progress";
import { stateFolder } from "../../system/state-folder";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { findForeignLinks } from "../../system/foreign-links";
import {
  connectToInstance,
  readInstance,
  processIdentity,
  instanceFiles,
  instanceFolder,
} from "./instance";
import { instanceSystemIdentifier, startInstance, writeInstanceParameters } from "./postmaster";
import { isBeingCreated, removeInstance } from "./remove";

/** Space for WAL and growth during replay, in addition to the cluster itself. */
const replayBytes = 1.2 * 2 ** 30;

/**
 * Creates a recovery instance: the server as of a point in time, as a separate cluster that accepts connections only on
 * a Unix socket and archives nothing. The server itself is not changed.
 */
export async function createInstance({
  server,
  to,
  hours,
}: RecoveryInstanceRequest): Promise<RecoveryInstance> {
  rejectExternal(server, "point-in-time recovery is");
  const started = now();
  const target = parseTarget(to);
  if ("problem" in target) throw new AgentError(`--to must ${target.problem}`);
  await rejectSecondInstance(server);
  const plan = await chooseBackup(server, target);
  await checkSpace(plan);
  await mkdir(instanceFolder, { mode: 0o700 });
  try {
    await writeFileAtomically(instanceFiles.maker, (await processIdentity(process.pid)) ?? "");
    const lastChange = await withSpaceWatch(async (signal) => recover(plan, target, signal));
    const instance: RecoveryInstance = {
      to: targetText(target),
      lastChangeAt: lastChange?.toISOString() ?? null,
      backup: plan.backup.label,
      systemIdentifier: await instanceSystemIdentifier(),
      madeAt: started.toISOString(),
      removedAt: new Date(started.getTime() + hours * 3_600_000).toISOString(),
      seconds: (now().getTime() - started.getTime()) / 1000,
      databases: await listDatabases(),
    };
    await writeFileAtomically(instanceFiles.facts, JSON.stringify(instance));
    return instance;
  } catch (error) {
    await removeInstance();
    throw new AgentError(unrecoverableText(server, target, messageOf(error)), { cause: error });
  }
}

/** Throws an {@link AgentError} when there is a recovery instance; removes an incomplete one. */
async function rejectSecondInstance(server: string): Promise<void> {
  const found = await stat(instanceFolder).catch(() => undefined);
  if (!found) return;
  const instance = await readInstance();
  if (!instance && !(await isBeingCreated(found.mtimeMs))) {
    await removeInstance();
    return;
  }
  throw new AgentError(
    instance
      ? `${server} already has a recovery instance of ${instance.to}; remove it with: npx stagecraft pitr ${server} remove`
      : `a recovery instance of ${server} is being created; wait until it is ready`,
  );
}

/** The base backup to start from. If the target is not archived yet, the server archives its WAL first, if it runs. */
async function chooseBackup(server: string, target: RecoveryTarget): Promise<RecoveryPlan> {
  const unrecoverable = (problem: string): AgentError =>
    new AgentError(unrecoverableText(server, target, problem));
  if (target.kind === "time" && target.at > now()) {
    throw unrecoverable(`it is in the future; it is ${utcText(now())} now`);
  }
  const state = await readOwnArchiveState(server);
  const clusters = await readClusters(state);
  const before = planRecovery(target, recoverableWindows(clusters));
  // The target may be in WAL that is not archived yet; "latest" always includes it.
  const isArchived = !("problem" in before) && target.kind === "time";
  const flushed = isArchived || target.kind === "immediate" ? undefined : await archiveNow(server);
  const plan = flushed
    ? planRecovery(target, recoverableWindows((await readClusters(state)).map(flushed)))
    : before;
  if ("problem" in plan) throw unrecoverable(plan.problem);
  return plan;
}

/**
 * Archives all WAL written so far. Returns a function that updates the archived time of the server's cluster, or
 * `undefined` when the server does not run or does not archive.
 */
async function archiveNow(
  server: string,
): Promise<((cluster: ArchivedCluster) => ArchivedCluster) | undefined> {
  let client: Client | undefined;
  try {
    client = await connect("postgres");
    const stanza = stanzaName(await systemIdentifier(client));
    if (!(await isArchiving(client, server, stanza))) return undefined;
    const archivedUpTo = new Date();
    await archiveAll(client);
    return (cluster) => (cluster.info.stanza === stanza ? { ...cluster, archivedUpTo } : cluster);
  } catch (error) {
    logLine(`the latest WAL is not in the archive: ${messageOf(error)}`);
    return undefined;
  } finally {
    await client?.end();
  }
}

async function checkSpace({ backup }: RecoveryPlan): Promise<void> {
  const needed = backup.bytes + replayBytes;
  const free = (await freeBytes()) - reservedBytes;
  if (free >= needed) return;
  throw new AgentError(
    `the recovery instance needs ${formatBytes(needed)} on the agent's volume, but only ${formatBytes(Math.max(0, free))} are free; free some space or move the volume to a larger disk`,
  );
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(stateFolder);
  return bavail * bsize;
}

/** Runs `work` and aborts it before the disk is full, which the server may share. */
async function withSpaceWatch<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const full = new AbortController();
  const done = new AbortController();
  const watching = (async () => {
    while (!done.signal.aborted) {
      if ((await freeBytes()) < reservedBytes) full.abort();
      await sleep(200, undefined, { signal: done.signal }).catch(() => undefined);
    }
  })();
  try {
    return await work(full.signal);
  } catch (error) {
    if (!full.signal.aborted) throw error;
    throw new AgentError(
      "it was stopped because the disk was nearly full; free some space or move the agent's volume to a larger disk",
      { cause: error },
    );
  } finally {
    done.abort();
    await watching;
  }
}

async function recover(
  { window, backup }: RecoveryPlan,
  target: RecoveryTarget,
  signal: AbortSignal,
): Promise<Date | undefined> {
  for (const folder of [instanceFiles.run, instanceFiles.data, instanceFiles.tablespaces])
    await mkdir(folder, { mode: 0o700 });
  logLine(`restore base backup ${backup.label} of ${formatBytes(backup.bytes)} …`);
  await backrest("restore", {
    stanza: window.stanza,
    signal,
    // What a manifest in the archive says is written nowhere else.
    confines: {
      reads: [`${archiveFolder}/`, `${instanceFolder}/`],
      writes: [instanceFiles.data, instanceFiles.tablespaces],
    },
    options: [
      `--set=${backup.label}`,
      `--pg1-path=${instanceFiles.data}`,
      `--tablespace-map-all=${instanceFiles.tablespaces}`,
      // Recovery is configured in postmaster.ts.
      "--type=default",
      "--archive-mode=off",
      "--process-max=2",
    ],
  });
  await rejectForeignLinks();
  await writeInstanceParameters(window.stanza, target);
  logLine(`recover to ${targetText(target)} …`);
  try {
    return await startInstance(signal);
  } catch (error) {
    const log = (await readTextIfExists(instanceFiles.log)) ?? "";
    const isComplete = target.kind === "time" && target.at <= window.last && archiveEndedEarly(log);
    if (!isComplete || signal.aborted) throw error;
    // Everything up to the target is archived. No change followed, so PostgreSQL found no commit to stop at.
    await rm(instanceFiles.log);
    await writeInstanceParameters(window.stanza, { kind: "latest" });
    return startInstance(signal);
  }
}

/** Throws an {@link AgentError} for a link in the restored data that leads out of the instance's folder. */
async function rejectForeignLinks(): Promise<void> {
  const [link] = await findForeignLinks(instanceFiles.data, [instanceFolder]);
  if (!link) return;
  throw new AgentError(
    `the base backup has the symbolic link ${link.name} to ${link.target}, which leads out of the recovery instance; use another base backup`,
  );
}

async function listDatabases(): Promise<RecoveryInstance["databases"]> {
  const client = await connectToInstance("postgres");
  try {
    const { rows } = await client.query<{ name: string; bytes: string }>(
      `SELECT datname AS name, pg_database_size(oid) AS bytes FROM pg_database
       WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1`,
    );
    return rows.map(({ name, bytes }) => ({ name, bytes: Number(bytes) }));
  } finally {
    await client.end();
  }
}
