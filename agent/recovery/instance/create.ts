import { mkdir, rm, stat, statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { reservedBytes } from "../../../model/dump/disk-space";
import { stanzaName } from "../../../model/point-in-time/archive-repository";
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
import {
  connectToInstance,
  readInstance,
  processIdentity,
  instanceFiles,
  instanceFolder,
} from "./instance";
import { instanceSystemIdentifier, startInstance, writeInstanceParameters } from "./postmaster";
import { isBeingCreated, removeInstance } from "./remove";

/** Beyond the cluster itself: the log that is replayed, and what that makes of it. */
const replayBytes = 1.2 * 2 ** 30;

/**
 * Makes the server as it was at a moment, beside it: a cluster of its own, without a way to it but a Unix socket, that
 * archives nothing. The server itself is not touched.
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
    const side: RecoveryInstance = {
      to: targetText(target),
      lastChangeAt: lastChange?.toISOString() ?? null,
      backup: plan.backup.label,
      systemIdentifier: await instanceSystemIdentifier(),
      madeAt: started.toISOString(),
      removedAt: new Date(started.getTime() + hours * 3_600_000).toISOString(),
      seconds: (now().getTime() - started.getTime()) / 1000,
      databases: await listDatabases(),
    };
    await writeFileAtomically(instanceFiles.facts, JSON.stringify(side));
    return side;
  } catch (error) {
    await removeInstance();
    throw new AgentError(unrecoverableText(server, target, messageOf(error)), { cause: error });
  }
}

async function rejectSecondInstance(server: string): Promise<void> {
  const found = await stat(instanceFolder).catch(() => undefined);
  if (!found) return;
  const side = await readInstance();
  if (!side && !(await isBeingCreated(found.mtimeMs))) {
    await removeInstance();
    return;
  }
  throw new AgentError(
    side
      ? `${server} has a side cluster of ${side.to} already; remove it with: npx stagecraft side ${server} remove`
      : `a side cluster of ${server} is being made; wait until it is done`,
  );
}

/** The backup to begin with; a moment that is not in the archive yet is brought into it where the server still can. */
async function chooseBackup(server: string, target: RecoveryTarget): Promise<RecoveryPlan> {
  const refuse = (problem: string): AgentError =>
    new AgentError(unrecoverableText(server, target, problem));
  if (target.kind === "time" && target.at > now()) {
    throw refuse(`it is yet to come; it is ${utcText(now())} now`);
  }
  const state = await readOwnArchiveState(server);
  const clusters = await readClusters(state);
  const before = planRecovery(target, recoverableWindows(clusters));
  // What was just written is wanted, too.
  const isKnown = !("problem" in before) && target.kind === "time";
  const flushed = isKnown || target.kind === "immediate" ? undefined : await archiveNow(server);
  const plan = flushed
    ? planRecovery(target, recoverableWindows((await readClusters(state)).map(flushed)))
    : before;
  if ("problem" in plan) throw refuse(plan.problem);
  return plan;
}

/**
 * Brings what is written by now into the archive, and tells what is known of it then. A server that is not there any more
 * cannot do that.
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
    logLine(`what was written last is not in the archive: ${messageOf(error)}`);
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
    `the side cluster needs ${formatBytes(needed)} in the agent's volume, and ${formatBytes(Math.max(0, free))} are free; free some space or move the volume to a larger disk`,
  );
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(stateFolder);
  return bavail * bsize;
}

/** Does the work, and stops it before the disk is full, which the server may share. */
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
      "it was stopped before the disk was full; free some space or move the agent's volume to a larger disk",
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
  await mkdir(instanceFiles.run, { mode: 0o700 });
  await mkdir(instanceFiles.data, { mode: 0o700 });
  logLine(`restore base backup ${backup.label} of ${formatBytes(backup.bytes)} …`);
  await backrest("restore", {
    stanza: window.stanza,
    signal,
    options: [
      `--set=${backup.label}`,
      `--pg1-path=${instanceFiles.data}`,
      `--tablespace-map-all=${instanceFiles.tablespaces}`,
      // Recovery is set up here; see postmaster.ts.
      ...["--type=default", "--archive-mode=off", "--process-max=2"],
    ],
  });
  await writeInstanceParameters(window.stanza, target);
  logLine(`recover to ${targetText(target)} …`);
  try {
    return await startInstance(signal);
  } catch (error) {
    const log = (await readTextIfExists(instanceFiles.log)) ?? "";
    const isWhole = target.kind === "time" && target.at <= window.last && archiveEndedEarly(log);
    if (!isWhole || signal.aborted) throw error;
    // All up to the target is there; nothing was changed since, so PostgreSQL met no change to stop at.
    await rm(instanceFiles.log);
    await writeInstanceParameters(window.stanza, { kind: "latest" });
    return startInstance(signal);
  }
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
