import { z } from "zod";
import { durationSchema } from "../base/units";
import { cronProblem, isTimeZone } from "./cron";
import { parseWindow } from "./daily-window";

/** What to do about a run that was missed because the agent was not running. */
export const missedChoices = ["run at start", "wait"] as const;

/** A schedule, as in crontab(5). */
export const scheduleSchema = z.string().superRefine((text, context) => {
  const problem = cronProblem(text);
  if (problem === undefined) return;
  // The message is complete; with an object as its input, the value is not appended.
  context.addIssue({ code: "custom", message: problem, input: {} });
});

/** Name of a time zone. */
export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, { error: "must be a time zone like UTC or Europe/Berlin" });
export const windowSchema = z.string().refine((text) => parseWindow(text) !== undefined, {
  error: "must be a daily window like 22:00-06:00",
});

/** When a job of any kind runs. */
export const timingShape = {
  schedule: scheduleSchema,
  timeZone: timeZoneSchema.default("UTC"),
  /** The job is aborted, and fails, after this time. */
  timeLimit: durationSchema.default("12 h"),
  /** The job runs only within this part of the day. */
  window: windowSchema.optional(),
  missed: z.enum(missedChoices).default("run at start"),
};

/** When a job of any kind runs. */
export type Timing = z.output<z.ZodObject<typeof timingShape>>;
