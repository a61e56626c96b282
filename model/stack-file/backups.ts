import { z } from "zod";
import type { ServerKind } from "../base/names";
import { pointInTimeConfigSchema } from "./point-in-time";
import { backupJobSchema, maintenanceJobSchema, type BackupJob } from "../backup/job";
import { retentionSchema } from "../backup/retention-policy";
import { verificationConfigSchema } from "../backup/verification-config";
import { alertsConfigSchema } from "../backup/alerts";
import { publicKeySchema } from "../backup/signature";
import { offsiteConfigSchema } from "../backup/offsite-config";

const nameRule =
  "must have a name of up to 30 lowercase letters, digits and hyphens, starting with a letter";

function jobsSchema<T extends z.ZodType>(job: T) {
  return z.record(z.string(), job).superRefine(
    (jobs, context) => {
      for (const name of Object.keys(jobs)) {
        if (/^[a-z][a-z0-9-]{0,29}$/.test(name)) continue;
        context.addIssue({ code: "custom", message: nameRule, path: [name], input: name });
      }
    },
    // Runs even if a job is invalid, so that all problems are reported at once.
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
}

/** Backups of a server: the stack file's section `backups`. */
export const backupsConfigSchema = z.strictObject({
  jobs: jobsSchema(backupJobSchema).optional().meta({
    description:
      "Backup jobs by name; see [Backups](backups.md). By default, production and staging have a nightly job.",
  }),
  maintenance: jobsSchema(maintenanceJobSchema).optional().meta({
    description: "Jobs that vacuum and analyze databases, by name.",
  }),
  keep: retentionSchema.optional().meta({
    description:
      "Retention of verified backups: `last`, `hourly`, `daily`, `weekly`, `monthly`, `yearly` and `within`; see [Backups](backups.md). By default 7 daily, 4 weekly and 6 monthly ones.",
  }),
  verify: verificationConfigSchema.optional().meta({
    description:
      "When backups are verified by a restore (`schedule` etc. as in a job; 05:29 UTC by default), and the `limit` of the age of the newest verified one (by default, the next verification).",
  }),
  pointInTime: pointInTimeConfigSchema.optional().meta({
    description:
      "Archives WAL continuously for point-in-time recovery; see [Point in time](point-in-time.md). `{}` uses the defaults.",
  }),
  offsite: offsiteConfigSchema.optional().meta({
    description:
      "Encrypted off-site copies of each backup: `remote`, `options`, `recipients` and `keep`; see [Off-site copies](backups-off-site.md).",
  }),
  signedBy: z.array(publicKeySchema).optional().meta({
    description:
      "Public keys that the server's own backups may be signed with besides its present one: those it had before it was recreated; see [Backups](backups.md).",
  }),
  alerts: alertsConfigSchema.optional().meta({
    description:
      "Notifications about failed and overdue backups: `webhook`, `email` and `ping`; see [Alerts](alerts.md).",
  }),
});

/** The default backup jobs of a server. */
export function defaultJobs(kind: ServerKind): Readonly<Record<string, BackupJob>> {
  const schedule = { production: "29 3 * * *", staging: "29 4 * * *", development: undefined }[
    kind
  ];
  return schedule === undefined ? {} : { nightly: backupJobSchema.parse({ schedule }) };
}
