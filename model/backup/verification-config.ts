import { z } from "zod";
import { durationSchema } from "../base/units";
import { type BackupJob } from "./job";
import { timingShape } from "./timing";

/**
 * Schedule of verification, and the maximum age of the newest verified backup: the key `backups.verify`. Without a limit,
 * backups are overdue when a scheduled verification has not verified those that the jobs had made by then.
 */
export const verificationConfigSchema = z.strictObject({
  ...timingShape,
  schedule: timingShape.schedule.default("29 5 * * *"),
  /** Maximum age of the newest verified backup of each database; if one is older, backups are overdue. */
  limit: durationSchema.optional(),
});
export type VerificationConfig = z.output<typeof verificationConfigSchema>;

/** The default of a stack that does not define `verify`: verified if there are backup jobs. */
export function defaultVerification(
  jobs: Readonly<Record<string, BackupJob>>,
): VerificationConfig | undefined {
  return Object.keys(jobs).length === 0 ? undefined : verificationConfigSchema.parse({});
}
