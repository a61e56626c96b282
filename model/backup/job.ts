import { z } from "zod";
import { durationSchema } from "../base/units";
import { cronProblem, isTimeZone } from "./cron";
import { isNeverWithin } from "./due";
import { dumpCompressions, dumpFormats } from "./manifest";
import { type Timing, timingShape } from "./timing";

/** From which moment it is looked at whether a schedule and a window ever meet; any will do. */
const anyDay = new Date("2026-01-01T00:00:00Z");

/** Problems of a job's keys that do not go together; each message is a whole sentence. */
type Fail = (key: string, message: string) => void;

/** Calls `check` with what does not go together, also when another value is wrong: all problems are told in one go. */
function checkTogether<T extends z.ZodType>(
  schema: T,
  check: (job: z.output<T>, fail: Fail) => void,
) {
  return schema.superRefine(
    (job, context) => {
      check(job, (key, message) => {
        context.addIssue({ code: "custom", message, path: [key], input: job });
      });
    },
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
}

function checkWindow({ schedule, timeZone, window }: Partial<Timing>, fail: Fail): void {
  if (typeof schedule !== "string" || typeof window !== "string") return;
  const zone = typeof timeZone === "string" ? timeZone : "UTC";
  if (cronProblem(schedule) !== undefined || !isTimeZone(zone)) return;
  if (!isNeverWithin({ schedule, timeZone: zone, window }, anyDay)) return;
  fail("window", `no run of "${schedule}" is within ${window}; change one of them`);
}

/** Databases by name; when they are left out, all but templates and Stagecraft's own copies. */
const databasesSchema = z
  .array(z.string().min(1, "must be the name of a database"))
  .min(1, "must name a database; leave the key out for all of them")
  .optional();

/** A job that makes backups. */
export const backupJobSchema = checkTogether(
  z.strictObject({
    ...timingShape,
    databases: databasesSchema,
    format: z.enum(dumpFormats).default("directory"),
    compression: z.enum(dumpCompressions).default("zstd"),
    /** Jobs of `pg_dump`; when it is left out, one for each processor, four at most. */
    parallel: z.int().min(1, "must be 1 to 64").max(64, "must be 1 to 64").optional(),
    /** How long `pg_dump` waits for a table that somebody else has locked. */
    lockTimeout: durationSchema.default("5 min"),
  }),
  (job, fail) => {
    checkWindow(job, fail);
    if (job.compression === "bzip2" && job.format !== "plain") {
      fail("compression", "bzip2 goes with format: plain alone; use zstd, or another format");
    }
    if (job.parallel !== undefined && job.parallel > 1 && job.format !== "directory") {
      fail("parallel", "pg_dump has several jobs with format: directory alone; leave it out");
    }
  },
);
export type BackupJob = z.output<typeof backupJobSchema>;

/** What a maintenance job does. PostgreSQL manual, 24.1. */
export const maintenanceWorks = ["vacuum and analyze", "vacuum", "analyze"] as const;

/** A job that looks after tables: dead rows and statistics. */
export const maintenanceJobSchema = checkTogether(
  z.strictObject({
    ...timingShape,
    databases: databasesSchema,
    work: z.enum(maintenanceWorks).default("vacuum and analyze"),
  }),
  checkWindow,
);
export type MaintenanceJob = z.output<typeof maintenanceJobSchema>;
