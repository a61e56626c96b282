import { Cron } from "croner";
import { cronFields, fieldProblem } from "./cron-fields";
import { instantsOf, offsetRange } from "./local-time";

/** Names of predefined schedules. crontab(5). */
const nicknames = [
  "@hourly",
  "@daily",
  "@midnight",
  "@weekly",
  "@monthly",
  "@yearly",
  "@annually",
] as const;

/** Why a schedule is invalid: a sentence that quotes it; `undefined` if it is valid. */
export function cronProblem(schedule: string): string | undefined {
  const problem = problemOf(schedule);
  return problem === undefined ? undefined : `"${schedule}": ${problem}`;
}

function problemOf(schedule: string): string | undefined {
  if (schedule.startsWith("@")) {
    return nicknames.some((nickname) => nickname === schedule)
      ? undefined
      : `must be one of ${nicknames.join(", ")}, or five fields like 29 3 * * *`;
  }
  const parts = schedule.trim().split(/\s+/);
  if (parts.length !== cronFields.length || parts[0] === "") {
    const count = parts[0] === "" ? 0 : parts.length;
    return `must have five fields (minute, hour, day of the month, month, day of the week) like 29 3 * * *, or be a name like @daily; got ${count}`;
  }
  for (const [index, field] of cronFields.entries()) {
    const problem = fieldProblem(parts[index] ?? "", field);
    if (problem !== undefined) return problem;
  }
  return nextRuns({ schedule, timeZone: "UTC" }, new Date(0), 1).length === 0
    ? "names a day that does not exist"
    : undefined;
}

/** When a job is due. */
export interface Schedule {
  /** Five fields, or a name like `@daily`. crontab(5). */
  readonly schedule: string;
  /** Time zone of the schedule, e.g. `Europe/Berlin`. */
  readonly timeZone: string;
}

/**
 * The next run times of a schedule after `from`, in order. A schedule names local times. If clocks are set forward over
 * some of them, one run takes place at the change. A local time that occurs twice counts once, at its first occurrence,
 * unless the schedule runs in every hour: such a schedule counts elapsed hours, and neither adds nor leaves out a run.
 */
export function nextRuns({ schedule, timeZone }: Schedule, from: Date, count: number): Date[] {
  const pattern = parsed(schedule);
  const found = new Set<number>();
  const [least] = offsetRange(timeZone, from);
  // Local times are counted as if they were UTC.
  let local: Date | null = new Date(Math.floor((from.getTime() + least) / 1000) * 1000 - 1000);
  for (;;) {
    local = pattern.cron.nextRun(local);
    const known = [...found].sort((a, b) => a - b);
    const last = known[count - 1];
    if (local === null || (last !== undefined && earliest(local, timeZone) > last))
      return known.slice(0, count).map((time) => new Date(time));
    for (const time of runsAt(local, timeZone, pattern.isHourly))
      if (time > from.getTime()) found.add(time);
  }
}

/** The last run time of a schedule after `since`, up to `now`; `undefined` if there is none. */
export function lastRun(
  { schedule, timeZone }: Schedule,
  since: Date,
  now: Date,
): Date | undefined {
  const pattern = parsed(schedule);
  const [, most] = offsetRange(timeZone, now);
  let local: Date | null | undefined = new Date(
    Math.floor((now.getTime() + most) / 1000) * 1000 + 1000,
  );
  let last: number | undefined;
  for (;;) {
    [local] = pattern.cron.previousRuns(1, local);
    // The local times of a change of the clocks overlap.
    if (local == null || latest(local, timeZone) < (last ?? since.getTime())) break;
    for (const time of runsAt(local, timeZone, pattern.isHourly))
      if (time <= now.getTime() && time > (last ?? since.getTime())) last = time;
  }
  return last === undefined ? undefined : new Date(last);
}

/** The times of the runs that a local time stands for. */
function runsAt(local: Date, timeZone: string, isHourly: boolean): number[] {
  const { times, change } = instantsOf(timeZone, local);
  const [first = change] = times;
  if (!isHourly) return [first];
  const [least, most] = offsetRange(timeZone, local);
  // Clocks that go forward by half an hour would leave out the run of an hour.
  return times.length === 0 && most - least < 3_600_000 ? [change] : times;
}

/** A time before which no run of this or a later local time takes place. */
function earliest(local: Date, timeZone: string): number {
  const [, most] = offsetRange(timeZone, local);
  return local.getTime() - most;
}

/** A time after which no run of this or an earlier local time takes place. */
function latest(local: Date, timeZone: string): number {
  const [least] = offsetRange(timeZone, local);
  return local.getTime() - least;
}

interface Pattern {
  /** Evaluates local times, as if they were UTC. */
  readonly cron: Cron;
  /** Whether it runs in every hour. */
  readonly isHourly: boolean;
}

/** Parsed once each, because every second checks them. */
const patterns = new Map<string, Pattern>();

function parsed(schedule: string): Pattern {
  const known = patterns.get(schedule);
  if (known) return known;
  const [, hour] = schedule.trim().split(/\s+/);
  const pattern = {
    cron: new Cron(schedule, { utcOffset: 0, paused: true }),
    isHourly: schedule === "@hourly" || ["*", "*/1", "0-23", "0-23/1"].includes(hour ?? ""),
  };
  patterns.set(schedule, pattern);
  return pattern;
}

/** Whether a time zone of that name exists. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== "";
  } catch {
    return false;
  }
}
