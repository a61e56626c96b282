import { Cron } from "croner";

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

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of its values, starting with that of `min`. */
  readonly words: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const fields: readonly Field[] = [
  { name: "minute", min: 0, max: 59, words: [] },
  { name: "hour", min: 0, max: 23, words: [] },
  { name: "day of the month", min: 1, max: 31, words: [] },
  { name: "month", min: 1, max: 12, words: months },
  { name: "day of the week", min: 0, max: 7, words: days },
];

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
  if (parts.length !== fields.length || parts[0] === "") {
    const count = parts[0] === "" ? 0 : parts.length;
    return `must have five fields (minute, hour, day of the month, month, day of the week) like 29 3 * * *, or be a name like @daily; got ${count}`;
  }
  for (const [index, field] of fields.entries()) {
    const problem = fieldProblem(parts[index] ?? "", field);
    if (problem !== undefined) return problem;
  }
  return nextRuns({ schedule, timeZone: "UTC" }, new Date(0), 1).length === 0
    ? "names a day that does not exist"
    : undefined;
}

function fieldProblem(text: string, field: Field): string | undefined {
  for (const item of text.split(",")) {
    const problem = itemProblem(item, field);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function itemProblem(item: string, field: Field): string | undefined {
  const { name } = field;
  const match = /^(\*|\w+(?:-\w+)?)(?:\/(\w+))?$/.exec(item);
  if (!match)
    return `${name} must be a number, a range like 1-5, a list, * or */5, got ${shown(item)}`;
  const [, range = "", step] = match;
  if (step !== undefined && !(/^\d{1,4}$/.test(step) && Number(step) > 0)) {
    return `the step of ${name} must be a number from 1, got ${shown(step)}`;
  }
  if (range === "*") return undefined;
  const ends = range.split("-");
  if (step !== undefined && ends.length === 1) {
    return `${name} must have a range before its step, such as */${step}, got ${shown(item)}`;
  }
  const values: number[] = [];
  for (const end of ends) {
    const value = valueOf(end, field);
    if (value === undefined) return `${name} must be ${allowed(field)}, got ${end}`;
    values.push(value);
  }
  const [from = 0, to = from] = values;
  return from > to ? `${name} must be an ascending range, got ${shown(item)}` : undefined;
}

function valueOf(text: string, { min, max, words }: Field): number | undefined {
  const word = words.indexOf(text.toLowerCase());
  if (word >= 0) return word + min;
  if (!/^\d{1,4}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function allowed({ min, max, words }: Field): string {
  const [first, last] = [words[0], words.at(-1)];
  const named = first === undefined || last === undefined ? "" : ` or ${first}–${last}`;
  return `${min}–${max}${named}`;
}

const shown = (text: string): string => (text === "" ? "nothing" : text);

/** When a job is due. */
export interface Schedule {
  /** Five fields, or a name like `@daily`. crontab(5). */
  readonly schedule: string;
  /** Time zone of the schedule, e.g. `Europe/Berlin`. */
  readonly timeZone: string;
}

/**
 * The next run times of a schedule after `from`. If a local time is skipped because clocks are set forward, the run
 * takes place at the change. If a local time occurs twice, the first occurrence counts; minutes and hours written as `*`
 * match both.
 */
export function nextRuns({ schedule, timeZone }: Schedule, from: Date, count: number): Date[] {
  return cron(schedule, timeZone).nextRuns(count, from);
}

/** The last run time of a schedule after `since`, up to `now`; `undefined` if there is none. */
export function lastRun(schedule: Schedule, since: Date, now: Date): Date | undefined {
  const pattern = cron(schedule.schedule, schedule.timeZone);
  const next = pattern.nextRun(since);
  if (next === null || next > now) return undefined;
  const found = pattern.previousRuns(2, new Date(now.getTime() + 1000));
  return found.find((time) => time <= now && time > since);
}

/** Parsed once each, because every second checks them. */
const patterns = new Map<string, Cron>();

function cron(schedule: string, timezone: string): Cron {
  const key = `${schedule} ${timezone}`;
  const pattern = patterns.get(key) ?? new Cron(schedule, { timezone, paused: true });
  patterns.set(key, pattern);
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
