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
  /** The schedule it counts for; under another one it counts from the moment of the change. */
  schedule: z.string(),
  /** The moment of the schedule up to which its runs are done with. */
  handled: z.iso.datetime(),
  /** The run that has begun and of whose end nothing is known yet. */
  begun: z
    .strictObject({ run: z.iso.datetime(), startedAt: z.iso.datetime(), tries: z.int() })
    .nullable(),
  last: runSchema.nullable(),
});
type State = z.infer<typeof stateSchema>;

/** What is remembered of all jobs, by {@link jobKey}. */
export const jobStatesSchema = z.record(z.string(), stateSchema);
export type JobStates = z.infer<typeof jobStatesSchema>;

/** By what a job is known. */
export function jobKey({ kind, name }: Pick<ScheduledJob, "kind" | "name">): string {
  return `${kind}/${name}`;
}

/** What the scheduler needs of its world. */
export interface SchedulerHost {
  readonly now: () => Date;
  /** What is in force; `undefined` while nothing is. */
  readonly schedule: () => Promise<BackupsRequest | undefined>;
  readonly load: () => Promise<JobStates>;
  readonly save: (states: JobStates) => Promise<void>;
  /** Does a job, whatever becomes of it. */
  readonly run: (job: ScheduledJob) => Promise<Omit<JobResult, "kind" | "name" | "backup">>;
  readonly log: (line: string) => void;
}

/** How often a run is begun that never comes to its end, because the agent goes down with it. */
const mostTries = 2;

/**
 * Runs jobs at their time, one after another. It looks at the time whenever it is told to ({@link tick}), and remembers
 * what was done across restarts: what was missed meanwhile is made up for, or not, as the job says.
 */
export class Scheduler {
  #states: JobStates | undefined;
  #running: Promise<void> | undefined;
  #isTicking = false;
  /** Runs that were seen in time and wait for their turn, by key. */
  readonly #waiting = new Map<string, Date>();

  constructor(private readonly world: SchedulerHost) {}

  /** The run that goes on now, if any; done when it ends. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  /** Looks at the time, and begins the run that is due, if there is one and nothing else is being done. */
  async tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      const request = await this.world.schedule();
      if (request) await this.#look(scheduledJobs(request));
    } finally {
      this.#isTicking = false;
    }
  }

  async #look(jobs: readonly ScheduledJob[]): Promise<void> {
    const now = this.world.now();
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
    const isWanted = new Set(jobs.map(jobKey));
    for (const key of Object.keys(states))
      if (!isWanted.has(key)) Reflect.deleteProperty(states, key);
    const [next] = due.sort((a, b) => a.run.getTime() - b.run.getTime());
    if (next && !this.#running) await this.#begin(states, next.job, next.run, now);
    else if (JSON.stringify(states) !== before) await this.world.save(states);
  }

  async #begin(states: JobStates, job: ScheduledJob, run: Date, now: Date): Promise<void> {
    const key = jobKey(job);
    const state = stateOf(states[key], job, now);
    states[key] = state;
    const isAgain = state.begun?.run === run.toISOString();
    const tries = isAgain ? (state.begun?.tries ?? 0) + 1 : 1;
    state.handled = run.toISOString();
    state.begun = { run: run.toISOString(), startedAt: now.toISOString(), tries };
    this.#waiting.delete(key);
    // Before it begins: a run that takes the agent down with it must not begin again and again.
    await this.world.save(states);
    this.world.log(`${job.name} (${job.kind}) begins, due at ${run.toISOString()}`);
    this.#running = this.#finish(states, job, now).finally(() => {
      this.#running = undefined;
    });
  }

  async #finish(states: JobStates, job: ScheduledJob, startedAt: Date): Promise<void> {
    const result = await this.world.run(job).catch((error: unknown) => ({
      ...{ startedAt: startedAt.toISOString(), finishedAt: this.world.now().toISOString() },
      ...{ succeeded: false, text: `${job.name} failed: ${messageOf(error)}` },
    }));
    const { succeeded, text, finishedAt } = result;
    this.world.log(`${job.name} (${job.kind}) ${succeeded ? "is done" : "failed"}: ${text}`);
    const state = states[jobKey(job)];
    if (!state) return;
    state.last = { startedAt: result.startedAt, finishedAt, succeeded, text };
    state.begun = null;
    await this.world.save(states).catch((error: unknown) => {
      this.world.log(`could not remember what became of ${job.name}: ${messageOf(error)}`);
    });
  }

  /** What was remembered. A run that the agent did not survive has failed, and counts as missed, once. */
  async #load(jobs: readonly ScheduledJob[], now: Date): Promise<JobStates> {
    const states = await this.world.load();
    for (const job of jobs) {
      const state = states[jobKey(job)];
      if (!state?.begun) continue;
      const { run, startedAt, tries } = state.begun;
      const text = `${job.name} was interrupted: the agent or its machine was stopped`;
      state.last = { startedAt, finishedAt: now.toISOString(), succeeded: false, text };
      if (tries < mostTries) state.handled = new Date(Date.parse(run) - 1).toISOString();
      else state.begun = null;
    }
    return states;
  }
}

/** A job that is new, or has another schedule, has missed nothing. */
function stateOf(known: State | undefined, { timing }: ScheduledJob, now: Date): State {
  const schedule = `${timing.schedule} ${timing.timeZone}`;
  if (known?.schedule === schedule) return known;
  return { schedule, handled: now.toISOString(), begun: null, last: known?.last ?? null };
}
