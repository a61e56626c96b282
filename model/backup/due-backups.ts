import { parseDuration } from "../base/units";
import { lastRun } from "./cron";
import { isWithin, parseWindow, type DailyWindow } from "./daily-window";
import { mayRun } from "./due-runs";
import type { Timing } from "./timing";

/** Seconds after a scheduled run until its result is overdue, unless the job's time limit is shorter. */
const allowanceSeconds = 2 * 3600;

/** Seconds after its time limit in which a job ends. */
const endSeconds = 300;

/** A run of a job that has been started and has not ended. */
export interface BegunRun {
  /** Its scheduled time. */
  readonly run: Date;
  readonly startedAt: Date;
  /** Time limit of the job in seconds. */
  readonly limit: number;
}

/** The runs that have begun, by `<kind>/<name>`. */
export type BegunRuns = Readonly<Record<string, BegunRun>>;

/** A job, and what runs now. */
export interface DueJob {
  /** `<kind>/<name>`. */
  readonly key: string;
  readonly timing: Timing;
  /** Runs up to this time do not count. */
  readonly since: Date;
  readonly begun?: BegunRuns | undefined;
}

/**
 * The last scheduled run whose result must exist by now; `undefined` if there is none. A run is excused for two hours
 * from its time, or from when its window opens, for as long as it runs within its time limit, and for as long as it waits
 * for a job that does, at most its own time limit.
 */
export function lastDueRun(job: DueJob, now: Date): Date | undefined {
  const limit = parseDuration(job.timing.timeLimit) ?? Infinity;
  let before = now;
  for (;;) {
    const run = lastRun(job.timing, job.since, before);
    if (run === undefined) return undefined;
    if (!isExcused(job, run, limit, now)) return run;
    before = previous(job.timing, run);
  }
}

function isExcused(job: DueJob, run: Date, limit: number, now: Date): boolean {
  const waited = (now.getTime() - startOf(job.timing, run).getTime()) / 1000;
  if (waited < Math.min(limit, allowanceSeconds)) return true;
  const { [job.key]: own, ...others } = job.begun ?? {};
  // A later run that has begun says that this one has ended.
  if (own && run < own.run) return false;
  if (own && run.getTime() === own.run.getTime()) return runsWell(own, now);
  const running = own ? [own] : Object.values(others);
  return waited < limit && running.some((other) => runsWell(other, now));
}

function runsWell({ startedAt, limit }: BegunRun, now: Date): boolean {
  return now.getTime() < startedAt.getTime() + (limit + endSeconds) * 1000;
}

/** When a run may start: at its time, or when its window opens. */
function startOf(timing: Timing, run: Date): Date {
  return mayRun(timing, run) ? run : stepTo(timing, run, 1);
}

/** The latest time before a run at which the previous one can have been. Runs outside of the window wait together. */
function previous(timing: Timing, run: Date): Date {
  return mayRun(timing, run) ? new Date(run.getTime() - 1000) : stepTo(timing, run, -1);
}

/** The first minute within the window after a time, or the last one before it. */
function stepTo(timing: Timing, time: Date, direction: 1 | -1): Date {
  const window: DailyWindow | undefined =
    timing.window === undefined ? undefined : parseWindow(timing.window);
  const found = new Date(time);
  if (!window) return found;
  do found.setTime(found.getTime() + direction * 60_000);
  while (!isWithin(window, timing.timeZone, found));
  return found;
}
