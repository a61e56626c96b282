import { z } from "zod";
import { durationSchema } from "../base/units";
import { cronProblem, isTimeZone } from "./cron";
import { isNeverWithin } from "./due-runs";
import { dumpCompressions, dumpFormats } from "./manifest";
import { type Timing, timingShape } from "./timing";

/** Start of the comparison of a schedule with its window; an arbitrary date. */
const anyDay = new Date("2026-01-01T00:00:00Z");

/** Reports a conflict between keys of a job; each message is a complete sentence. */
type Fail = (key: string, message: string) => void;

/** Checks a job for conflicting keys, even if another value is invalid, so that all problems are reported at once. */
function withConflictCheck<T extends z.ZodType>(
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

/** Names of databases. @default all except templates and Stagecraft's own copies */
const databasesSchema = z
  .array(z.string().min(1, "must be the name of a database"))
  .min(1, "must name a database; leave the key out for all of them")
  .optional();

/** A job that makes backups. */
export const backupJobSchema = withConflictCheck(
  z.strictObject({
    ...timingShape,
    databases: databasesSchema,
    format: z.enum(dumpFormats).default("directory"),
    compression: z.enum(dumpCompressions).default("zstd"),
    /** Parallel jobs of `pg_dump`. @default one per processor, at most four */
    parallel: z.int().min(1, "must be 1 to 64").max(64, "must be 1 to 64").optional(),
    /** How long `pg_dump` waits for a table that another session has locked. */
    lockTimeout: durationSchema.default("5 min"),
  }),
  (job, fail) => {
    checkWindow(job, fail);
    if (job.compression === "bzip2" && job.format !== "plain") {
      fail("compression", "bzip2 requires format: plain; use zstd, or change the format");
    }
    if (job.parallel !== undefined && job.parallel > 1 && job.format !== "directory") {
      fail("parallel", "requires format: directory; remove it, or change the format");
    }
  },
);
export type BackupJob = z.output<typeof backupJobSchema>;

/** Tasks of a maintenance job. PostgreSQL manual, 24.1. */
export const maintenanceTasks = ["vacuum and analyze", "vacuum", "analyze"] as const;

/** A job that removes dead rows from tables and updates their statistics. */
export const maintenanceJobSchema = withConflictCheck(
  z.strictObject({
    ...timingShape,
    databases: databasesSchema,
    work: z.enum(maintenanceTasks).default("vacuum and analyze"),
  }),
  checkWindow,
);
export type MaintenanceJob = z.output<typeof maintenanceJobSchema>;
