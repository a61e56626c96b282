import { z } from "zod";
import { durationSchema } from "../base/units";
import { cronProblem, isTimeZone } from "./cron";
import { parseWindow } from "./window";

/** What is done about a run that could not be at its time, because the agent was not running. */
export const missedChoices = ["run at start", "wait"] as const;

/** When something is due, as in crontab. */
export const scheduleSchema = z.string().superRefine((text, context) => {
  const problem = cronProblem(text);
  if (problem === undefined) return;
  // The message is a whole sentence; with a section as its input nothing is put behind it.
  context.addIssue({ code: "custom", message: problem, input: {} });
});

/** A time zone by its name. */
export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, { error: "must be a time zone like UTC or Europe/Berlin" });
export const windowSchema = z.string().refine((text) => parseWindow(text) !== undefined, {
  error: "must be a part of the day like 22:00-06:00",
});

/** When a job of any kind runs. */
export const timingShape = {
  schedule: scheduleSchema,
  timeZone: timeZoneSchema.default("UTC"),
  /** After it the job is ended, and has failed. */
  timeLimit: durationSchema.default("12 h"),
  /** The only part of the day in which it runs. */
  window: windowSchema.optional(),
  missed: z.enum(missedChoices).default("run at start"),
};

/** When a job of any kind runs. */
export type Timing = z.output<z.ZodObject<typeof timingShape>>;
