import { z } from "zod";
import { durationSchema } from "../base/units";
import { type BackupJob } from "./job";
import { timingShape } from "./timing";

/** When backups are verified, and how old the newest verified one may be: the key `verify` of the section `backups`. */
export const verifySettingsSchema = z.strictObject({
  ...timingShape,
  schedule: timingShape.schedule.default("29 5 * * *"),
  /** Older than this the newest verified backup is a fault of the server. */
  limit: durationSchema.default("26 h"),
});
export type VerifySettings = z.output<typeof verifySettingsSchema>;

/** What holds where a stack says nothing: backups that are made are verified. */
export function defaultVerify(
  jobs: Readonly<Record<string, BackupJob>>,
): VerifySettings | undefined {
  return Object.keys(jobs).length === 0 ? undefined : verifySettingsSchema.parse({});
}
