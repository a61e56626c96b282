import { z } from "zod";
import { durationSchema } from "../units";
import { cronProblem, isTimeZone } from "./cron";
import { dumpCompressions, dumpFormats } from "./manifest";
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

const windowSchema = z.string().refine((text) => parseWindow(text) !== undefined, {
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

/** Databases by name; when they are left out, all but templates and Stagecraft's own copies. */
const databasesSchema = z
  .array(z.string().min(1, "must be the name of a database"))
  .min(1, "must name a database; leave the key out for all of them")
  .optional();

/** A job that makes backups. */
export const backupJobSchema = z
  .strictObject({
    ...timingShape,
    databases: databasesSchema,
    format: z.enum(dumpFormats).default("directory"),
    compression: z.enum(dumpCompressions).default("zstd"),
    /** Jobs of `pg_dump`; when it is left out, one for each processor, four at most. */
    parallel: z.int().min(1, "must be 1 to 64").max(64, "must be 1 to 64").optional(),
    /** How long `pg_dump` waits for a table that somebody else has locked. */
    lockTimeout: durationSchema.default("5 min"),
  })
  .superRefine(
    (job, context) => {
      const fail = (key: string, message: string): void => {
        context.addIssue({ code: "custom", message, path: [key], input: job });
      };
      if (job.compression === "bzip2" && job.format !== "plain") {
        fail("compression", `bzip2 goes with format: plain alone; use zstd, or another format`);
      }
      if (job.parallel !== undefined && job.parallel > 1 && job.format !== "directory") {
        fail("parallel", `pg_dump has several jobs with format: directory alone; leave it out`);
      }
    },
    // Also when another value is wrong: all problems are told in one go.
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
export type BackupJob = z.output<typeof backupJobSchema>;

/** What a maintenance job does. PostgreSQL manual, 24.1. */
export const maintenanceWorks = ["vacuum and analyze", "vacuum", "analyze"] as const;

/** A job that looks after tables: dead rows and statistics. */
export const maintenanceJobSchema = z.strictObject({
  ...timingShape,
  databases: databasesSchema,
  work: z.enum(maintenanceWorks).default("vacuum and analyze"),
});
export type MaintenanceJob = z.output<typeof maintenanceJobSchema>;
