import { z } from "zod";
import { dueRun, mayRun } from "../../model/backup/due-runs";
import type { BackupsRequest, JobResult } from "../../model/backup/protocol";
import { scheduledJobs, type ScheduledJob } from "../../model/backup/scheduled-jobs";
import { messageOf } from "../system/errors";

const runSchema = z.strictObject({
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  succeeded: z.boolean(),
  text: z.string(),
});

const stateSchema = z.strictObject({
  /** Cron expression and time zone this state belongs to; when they change, runs are counted from the time of the change. */
  schedule: z.string(),
  /** Scheduled time up to which all runs are finished or skipped. */
  handled: z.iso.datetime(),
  /** The run that was started and whose result is not known yet. */
  begun: z
    .strictObject({ run: z.iso.datetime(), startedAt: z.iso.datetime(), tries: z.int() })
    .nullable(),
  last: runSchema.nullable(),
});
type State = z.infer<typeof stateSchema>;

/** The states of all jobs, by {@link jobKey}. */
export const jobStatesSchema = z.record(z.string(), stateSchema);
export type JobStates = z.infer<typeof jobStatesSchema>;

/** Key of a job in {@link JobStates}. */
export function jobKey({ kind, name }: Pick<ScheduledJob, "kind" | "name">): string {
  return `${kind}/${name}`;
}

/** What the scheduler needs from the agent. */
export interface SchedulerHost {
  readonly now: () => Date;
  /** The applied schedule; `undefined` without one. */
  readonly schedule: () => Promise<BackupsRequest | undefined>;
  readonly load: () => Promise<JobStates>;
  readonly save: (states: JobStates) => Promise<void>;
  /** Runs a job; a failure is in the result. */
  readonly run: (job: ScheduledJob) => Promise<Omit<JobResult, "kind" | "name" | "backup">>;
  readonly log: (line: string) => void;
}

/** How often a run is started when the agent stops before the run ends. */
const maxTries = 2;

/**
 * Runs jobs at their scheduled times, one after another. {@link tick} checks which run is due. State is stored, so runs
 * missed during a restart are caught up on or skipped, as the job's settings say.
 */
export class Scheduler {
  #states: JobStates | undefined;
  #running: Promise<void> | undefined;
  #isTicking = false;
  /** Runs that became due on time and wait for the running job, by key. */
  readonly #waiting = new Map<string, Date>();

  constructor(private readonly host: SchedulerHost) {}

  /** Resolves when the current run ends; `undefined` when no job is running. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  /** Starts the run that is due, unless a job is running. */
  async tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      const request = await this.host.schedule();
      if (request) await this.#startDue(scheduledJobs(request));
    } finally {
      this.#isTicking = false;
    }
  }

  async #startDue(jobs: readonly ScheduledJob[]): Promise<void> {
    const now = this.host.now();
    const states = (this.#states ??= await this.#load(jobs, now));
    const before = JSON.stringify(states);
    const due: { job: ScheduledJob; run: Date }[] = [];
    for (const job of jobs) {
      const key = jobKey(job);
      const state = stateOf(states[key], job, now);
      states[key] = state;
      const waiting = this.#waiting.get(key);
      const found = dueRun(job.timing, { handled: new Date(state.handled), waiting }, now);
      state.handled = found.handled.toISOString();
      if (!found.run) continue;
      if (found.inTime) this.#waiting.set(key, found.run);
      if (mayRun(job.timing, now)) due.push({ job, run: found.run });
    }
    const scheduled = new Set(jobs.map(jobKey));
    for (const key of Object.keys(states))
      if (!scheduled.has(key)) Reflect.deleteProperty(states, key);
    const [next] = due.sort((a, b) => a.run.getTime() - b.run.getTime());
    if (next && !this.#running) await this.#start(states, next.job, next.run, now);
    else if (JSON.stringify(states) !== before) await this.host.save(states);
  }

  async #start(states: JobStates, job: ScheduledJob, run: Date, now: Date): Promise<void> {
    const key = jobKey(job);
    const state = stateOf(states[key], job, now);
    states[key] = state;
    const isRetry = state.begun?.run === run.toISOString();
    const tries = isRetry ? (state.begun?.tries ?? 0) + 1 : 1;
    state.handled = run.toISOString();
    state.begun = { run: run.toISOString(), startedAt: now.toISOString(), tries };
    this.#waiting.delete(key);
    // Saved first: a run that crashes the agent must not be started again and again.
    await this.host.save(states);
    this.host.log(`${job.name} (${job.kind}) starts, due at ${run.toISOString()}`);
    this.#running = this.#finish(states, job, now).finally(() => {
      this.#running = undefined;
    });
  }

  async #finish(states: JobStates, job: ScheduledJob, startedAt: Date): Promise<void> {
    const result = await this.host.run(job).catch((error: unknown) => ({
      startedAt: startedAt.toISOString(),
      finishedAt: this.host.now().toISOString(),
      succeeded: false,
      text: `${job.name} failed: ${messageOf(error)}`,
    }));
    const { succeeded, text, finishedAt } = result;
    this.host.log(`${job.name} (${job.kind}) ${succeeded ? "is done" : "failed"}: ${text}`);
    const state = states[jobKey(job)];
    if (!state) return;
    state.last = { startedAt: result.startedAt, finishedAt, succeeded, text };
    state.begun = null;
    await this.host.save(states).catch((error: unknown) => {
      this.host.log(`cannot save the result of ${job.name}: ${messageOf(error)}`);
    });
  }

  /** Loads the states. A run during which the agent stopped has failed; it is started once more. */
  async #load(jobs: readonly ScheduledJob[], now: Date): Promise<JobStates> {
    const states = await this.host.load();
    for (const job of jobs) {
      const state = states[jobKey(job)];
      if (!state?.begun) continue;
      const { run, startedAt, tries } = state.begun;
      const text = `${job.name} was interrupted: the agent or its machine was stopped`;
      state.last = { startedAt, finishedAt: now.toISOString(), succeeded: false, text };
      if (tries < maxTries) state.handled = new Date(Date.parse(run) - 1).toISOString();
      else state.begun = null;
    }
    return states;
  }
}

/** The state of a job; a new job, or one whose schedule changed, has no missed runs. */
function stateOf(known: State | undefined, { timing }: ScheduledJob, now: Date): State {
  const schedule = `${timing.schedule} ${timing.timeZone}`;
  if (known?.schedule === schedule) return known;
  return { schedule, handled: now.toISOString(), begun: null, last: known?.last ?? null };
}
