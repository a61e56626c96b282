import { lastRun, nextRuns } from "./cron";
import type { Timing } from "./timing";
import { isWithin, parseWindow } from "./window";

/** Seconds after its moment in which a run is not late yet: as long as a restart of the agent may take. */
export const graceSeconds = 60;

/** Seconds that a clock may be put back without anything being counted anew. */
const stepSeconds = 3600;

/** What is to be done about a job at a moment. */
export interface Due {
  /** Up to when its runs are done with; to be kept, and given the next time. */
  readonly handled: Date;
  /** The moment of the schedule that it should run for now; `undefined` when there is nothing to do. */
  readonly run: Date | undefined;
  /** Whether that run was seen in time. From then on it is no missed one, however long it has to wait for its turn. */
  readonly inTime: boolean;
}

/**
 * What is to be done about a job, from its schedule, the moment up to which its runs are done with, and the time. Of
 * several runs that were missed only the last one counts. `waiting` is a run that was seen in time and has not had its turn.
 */
export function dueRun(
  timing: Timing,
  { handled: before, waiting }: { readonly handled: Date; readonly waiting?: Date | undefined },
  now: Date,
): Due {
  // Where the clock was far ahead, nothing would run until it gets there again.
  const isAhead = before.getTime() - now.getTime() > stepSeconds * 1000;
  const handled = isAhead ? now : before;
  const moment = lastRun(timing, handled, now);
  if (moment === undefined) return { handled, run: undefined, inTime: false };
  const isLate = now.getTime() - moment.getTime() > graceSeconds * 1000;
  const inTime = !isLate || (waiting !== undefined && waiting > handled);
  if (!inTime && timing.missed === "wait") return { handled: moment, run: undefined, inTime };
  return { handled, run: moment, inTime };
}

/** Whether a job may run at a moment: always, or in its window. */
export function mayRun({ window, timeZone }: Timing, now: Date): boolean {
  const parsed = window === undefined ? undefined : parseWindow(window);
  return parsed === undefined || isWithin(parsed, timeZone, now);
}

/** How many runs of a schedule are looked at to find out whether any is in its window. */
const lookedAt = 60;

/** Whether no run of a schedule is ever in the window: each would have to wait. */
export function isNeverWithin(
  { schedule, timeZone, window }: Pick<Timing, "schedule" | "timeZone" | "window">,
  from: Date,
): boolean {
  const parsed = window === undefined ? undefined : parseWindow(window);
  if (parsed === undefined) return false;
  const runs = nextRuns({ schedule, timeZone }, from, lookedAt);
  return runs.length > 0 && runs.every((run) => !isWithin(parsed, timeZone, run));
}
