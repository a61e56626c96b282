import { z } from "zod";
import { isTimeZone } from "./cron";

const notACount = "must be how many to keep, a whole number from 1";
const count = (description: string) =>
  z.int(notACount).min(1, notACount).optional().meta({ description });

/** Hours, days, weeks, months, years. */
type Unit = "h" | "d" | "w" | "m" | "y";

/** A stretch of the calendar, e.g. a year and six months. */
export type CalendarSpan = Readonly<Partial<Record<Unit, number>>>;

/** Reads `"30 d"`, `"12 h"`, `"8 w"`, `"6 months"` or `"1 y 6 months"`; `undefined` when it is none. */
export function parseCalendarSpan(text: string): CalendarSpan | undefined {
  const part = /\s*(\d{1,4})\s*(h|d|w|y|hours?|days?|weeks?|months?|years?)(?![a-z])/gy;
  const span: Partial<Record<Unit, number>> = {};
  let end = 0;
  for (const [whole, number = "", name = ""] of text.matchAll(part)) {
    end += whole.length;
    const unit = name.charAt(0) as Unit;
    if (span[unit] !== undefined || Number(number) === 0) return undefined;
    span[unit] = Number(number);
  }
  return end > 0 && text.slice(end).trim() === "" ? span : undefined;
}

/** The moment a span before another one, by the calendar in UTC; a month before 31 March is the end of February. */
export function spanBefore(
  moment: Date,
  { h = 0, d = 0, w = 0, m = 0, y = 0 }: CalendarSpan,
): Date {
  const months = moment.getUTCFullYear() * 12 + moment.getUTCMonth() - (y * 12 + m);
  const [year, month] = [Math.floor(months / 12), ((months % 12) + 12) % 12];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const then = new Date(moment);
  then.setUTCFullYear(year, month, Math.min(moment.getUTCDate(), lastDay));
  then.setTime(then.getTime() - ((w * 7 + d) * 24 + h) * 3_600_000);
  return then;
}

/** Which backups are kept. What one rule keeps no other can take away. */
export const keepSchema = z.strictObject({
  last: count("How many of the newest backups are kept."),
  hourly: count("For how many hours that have a backup the last one of the hour is kept."),
  daily: count("For how many days that have a backup the last one of the day is kept."),
  weekly: count("For how many weeks (from Monday) that have a backup the last one is kept."),
  monthly: count("For how many months that have a backup the last one of the month is kept."),
  yearly: count("For how many years that have a backup the last one of the year is kept."),
  within: z
    .string()
    .refine((text) => parseCalendarSpan(text) !== undefined, {
      error: 'must be a time like "30 d", "8 w", "6 months" or "1 y 6 months"',
    })
    .optional()
    .meta({
      description: "Every backup that is at most this much older than the newest one is kept.",
      examples: ["30 d"],
    }),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: "must be a time zone like UTC or Europe/Berlin" })
    .optional()
    .meta({ description: "The time zone of these days, weeks, months and years. Else UTC." }),
});
export type KeepPolicy = z.output<typeof keepSchema>;

/** What is kept where a stack says nothing. */
export const defaultKeep: KeepPolicy = { daily: 7, weekly: 4, monthly: 6 };
