import { lastRun, nextRuns } from "./cron";
import type { Timing } from "./timing";
import { isWithin, parseWindow } from "./daily-window";

/** Seconds that a run may start after its scheduled time without being late: the agent may be restarting. */
export const graceSeconds = 60;

/** Seconds that a clock may be set back before past runs are counted again. */
const stepSeconds = 3600;

/** Whether a job has to run now. */
export interface DueRun {
  /** Runs up to this time are handled; the caller stores it and passes it to the next call. */
  readonly handled: Date;
  /** Scheduled time of the run to start now; `undefined` if there is none. */
  readonly run: Date | undefined;
  /** Whether the run was noticed in time. It then does not count as missed, however long it waits for other jobs. */
  readonly inTime: boolean;
}

/**
 * Decides whether a job has to run, from its schedule, the time up to which runs are handled, and the current time. Of
 * several missed runs only the last one counts. `waiting` is a run that was noticed in time and is waiting for other jobs.
 */
export function dueRun(
  timing: Timing,
  { handled: before, waiting }: { readonly handled: Date; readonly waiting?: Date | undefined },
  now: Date,
): DueRun {
  // If the clock was far ahead, nothing would run until it reaches that time again.
  const isAhead = before.getTime() - now.getTime() > stepSeconds * 1000;
  const handled = isAhead ? now : before;
  const time = lastRun(timing, handled, now);
  if (time === undefined) return { handled, run: undefined, inTime: false };
  const isLate = now.getTime() - time.getTime() > graceSeconds * 1000;
  const inTime = !isLate || (waiting !== undefined && waiting > handled);
  if (!inTime && timing.missed === "wait") return { handled: time, run: undefined, inTime };
  return { handled, run: time, inTime };
}

/** Whether a job may run now: always, or within its window. */
export function mayRun({ window, timeZone }: Timing, now: Date): boolean {
  const parsed = window === undefined ? undefined : parseWindow(window);
  return parsed === undefined || isWithin(parsed, timeZone, now);
}

/** Number of runs of a schedule that are compared with its window. */
const comparedRuns = 60;

/** Whether no run of a schedule falls within the window, so that each run would have to wait. */
export function isNeverWithin(
  { schedule, timeZone, window }: Pick<Timing, "schedule" | "timeZone" | "window">,
  from: Date,
): boolean {
  const parsed = window === undefined ? undefined : parseWindow(window);
  if (parsed === undefined) return false;
  const runs = nextRuns({ schedule, timeZone }, from, comparedRuns);
  return runs.length > 0 && runs.every((run) => !isWithin(parsed, timeZone, run));
}
