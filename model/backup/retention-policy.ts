import { z } from "zod";
import { isTimeZone } from "./cron";

const notACount = "must be the number to keep, a whole number from 1";
const count = (description: string) =>
  z.int(notACount).min(1, notACount).optional().meta({ description });

/** Hours, days, weeks, months, years. */
type Unit = "h" | "d" | "w" | "m" | "y";

/** A calendar duration, e.g. one year and six months. */
export type CalendarSpan = Readonly<Partial<Record<Unit, number>>>;

/** Parses `"30 d"`, `"12 h"`, `"8 w"`, `"6 months"` or `"1 y 6 months"`; `undefined` if the text has another form. */
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

/** Subtracts a calendar duration from a time, in UTC; one month before 31 March is the last day of February. */
export function spanBefore(time: Date, { h = 0, d = 0, w = 0, m = 0, y = 0 }: CalendarSpan): Date {
  const months = time.getUTCFullYear() * 12 + time.getUTCMonth() - (y * 12 + m);
  const [year, month] = [Math.floor(months / 12), ((months % 12) + 12) % 12];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const result = new Date(time);
  result.setUTCFullYear(year, month, Math.min(time.getUTCDate(), lastDay));
  result.setTime(result.getTime() - ((w * 7 + d) * 24 + h) * 3_600_000);
  return result;
}

/** Retention rules. A backup is retained if any rule retains it. */
export const retentionSchema = z.strictObject({
  last: count("Number of newest backups to keep."),
  hourly: count("Number of hours to keep the last backup of."),
  daily: count("Number of days to keep the last backup of."),
  weekly: count("Number of weeks (from Monday) to keep the last backup of."),
  monthly: count("Number of months to keep the last backup of."),
  yearly: count("Number of years to keep the last backup of."),
  within: z
    .string()
    .refine((text) => parseCalendarSpan(text) !== undefined, {
      error: 'must be a duration like "30 d", "8 w", "6 months" or "1 y 6 months"',
    })
    .optional()
    .meta({
      description: "Keep every backup that is at most this much older than the newest one.",
      examples: ["30 d"],
    }),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: "must be a time zone like UTC or Europe/Berlin" })
    .optional()
    .meta({ description: "Time zone of these days, weeks, months and years; UTC by default." }),
});
export type RetentionPolicy = z.output<typeof retentionSchema>;

/** The retention rules of a stack that defines none. */
export const defaultRetention: RetentionPolicy = { daily: 7, weekly: 4, monthly: 6 };
