import path from "node:path";
import { rm } from "node:fs/promises";
import type { Client } from "pg";
import { z } from "zod";
import { jobKinds } from "../../model/backup/protocol";
import { now } from "../system/clock";
import { lockHolders, tryLock, unlock, waitForLock } from "../postgres/locks";
import { withOwnDatabase } from "../postgres/own-database";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";
import { advisoryLocks } from "../postgres/advisory-locks";

/** Advisory lock that a job holds while it runs: one job at a time. PostgreSQL releases it when the session ends. */
const lock = advisoryLocks.jobs;

const file = "running-job.json";

const runningJobSchema = z.strictObject({
  kind: z.enum(jobKinds),
  name: z.string().nullable(),
  startedAt: z.iso.datetime(),
});
/** The job that is running. */
export type RunningJob = z.infer<typeof runningJobSchema>;

/**
 * Runs `work` while holding the job lock; waits for a job that is already running. A backup that waited dumps the
 * databases as they are when it gets the lock: the previous backup lacks what was written since.
 *
 * @param signal ends the wait
 */
export async function withJobLock<T>(
  job: Pick<RunningJob, "kind" | "name">,
  signal: AbortSignal,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const holder = async (): Promise<string> => {
    const other = await readRunningJob();
    return other ? describe(other) : "another job";
  };
  return withOwnDatabase(async (client) => {
    await waitForLock(client, lock, { holder, signal });
    const startedAt = now().toISOString();
    await writeStateFile(file, JSON.stringify({ ...job, startedAt } satisfies RunningJob));
    try {
      return await work(client);
    } finally {
      await rm(path.join(stateFolder, file), { force: true });
    }
  });
}

/** Acquires the job lock if it is free; returns whether it did. */
export async function tryJobLock(client: Client): Promise<boolean> {
  return tryLock(client, lock);
}

/** Releases the job lock. */
export async function releaseJobLock(client: Client): Promise<void> {
  await unlock(client, lock);
}

/** The job that is running; `undefined` when none is. */
export async function runningJob(client: Client): Promise<RunningJob | undefined> {
  return (await lockHolders(client, lock)).length === 0 ? undefined : readRunningJob();
}

async function readRunningJob(): Promise<RunningJob | undefined> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  return text === undefined ? undefined : runningJobSchema.parse(JSON.parse(text));
}

function describe({ kind, name, startedAt }: RunningJob): string {
  const what = name === null ? `a manual ${kind}` : `${name} (${kind})`;
  return `${what}, started at ${startedAt.slice(0, 19).replace("T", " ")} UTC,`;
}
