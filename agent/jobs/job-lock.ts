import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rm } from "node:fs/promises";
import type { Client } from "pg";
import { z } from "zod";
import { jobKinds } from "../../model/backup/protocol";
import { now } from "../system/clock";
import { withConnection } from "../postgres/connect";
import { logLine } from "../system/progress";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";
import { advisoryLocks } from "../postgres/advisory-locks";

/** Advisory lock that a job holds while it runs: one job at a time. PostgreSQL releases it when the session ends. */
const lock = [...advisoryLocks.jobs];

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
  return withConnection("postgres", async (client) => {
    if (!(await tryJobLock(client))) {
      const other = await readRunningJob();
      logLine(`${other ? describe(other) : "another job"} is running; waiting for it`);
      do await sleep(500, undefined, { signal });
      while (!(await tryJobLock(client)));
    }
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
  const { rows } = await client.query<{ locked: boolean }>(
    "SELECT pg_try_advisory_lock($1, $2) AS locked",
    lock,
  );
  return rows[0]?.locked ?? false;
}

/** Releases the job lock. */
export async function releaseJobLock(client: Client): Promise<void> {
  await client.query("SELECT pg_advisory_unlock($1, $2)", lock);
}

/** The job that is running; `undefined` when none is. */
export async function runningJob(client: Client): Promise<RunningJob | undefined> {
  const { rowCount } = await client.query(
    "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND granted",
    lock,
  );
  return rowCount === 0 ? undefined : readRunningJob();
}

async function readRunningJob(): Promise<RunningJob | undefined> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  return text === undefined ? undefined : runningJobSchema.parse(JSON.parse(text));
}

function describe({ kind, name, startedAt }: RunningJob): string {
  const what = name === null ? `a manual ${kind}` : `${name} (${kind})`;
  return `${what}, started at ${startedAt.slice(0, 19).replace("T", " ")} UTC,`;
}
