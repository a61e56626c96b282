import { z } from "zod";
import type { ServerKind } from "../base/names";
import { pointInTimeConfigSchema } from "./point-in-time";
import { backupJobSchema, maintenanceJobSchema, type BackupJob } from "../backup/job";
import { retentionSchema } from "../backup/retention-policy";
import { verificationConfigSchema } from "../backup/verification-config";
import { alertsConfigSchema } from "../backup/alerts";
import { offsiteConfigSchema } from "../backup/offsite-config";

const nameRule =
  "must be called by up to 30 small letters, digits and hyphens, beginning with a letter";

function jobsSchema<T extends z.ZodType>(job: T) {
  return z.record(z.string(), job).superRefine(
    (jobs, context) => {
      for (const name of Object.keys(jobs)) {
        if (/^[a-z][a-z0-9-]{0,29}$/.test(name)) continue;
        context.addIssue({ code: "custom", message: nameRule, path: [name], input: name });
      }
    },
    // Also when a job is wrong: all problems are told in one go.
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
}

/** Backups of a server: the stack file's section `backups`. */
export const backupsConfigSchema = z.strictObject({
  jobs: jobsSchema(backupJobSchema).optional().meta({
    description:
      "Jobs that make backups, by name; see [Backups](backups.md). Production and staging have one a night, when none is named.",
  }),
  maintenance: jobsSchema(maintenanceJobSchema).optional().meta({
    description: "Jobs that vacuum and analyze databases, by name.",
  }),
  keep: retentionSchema.optional().meta({
    description:
      "Which verified backups stay: `last`, `hourly`, `daily`, `weekly`, `monthly`, `yearly` and `within`; see [Backups](backups.md). Else 7 daily, 4 weekly and 6 monthly ones.",
  }),
  verify: verificationConfigSchema.optional().meta({
    description:
      "When the newest backup is verified by a restore (`schedule` and the like, as of a job; else 05:29 UTC), and the `limit` of its age (else `26 h`).",
  }),
  pointInTime: pointInTimeConfigSchema.optional().meta({
    description:
      "Archives what PostgreSQL writes, so that the server can be recovered to any moment; see [Point in time](point-in-time.md). `{}` takes the defaults.",
  }),
  offsite: offsiteConfigSchema.optional().meta({
    description:
      "Where each backup is copied to, encrypted: `remote`, `options`, `recipients` and `keep`; see [Off-site copies](backups-off-site.md).",
  }),
  alerts: alertsConfigSchema.optional().meta({
    description:
      "Who is told when a backup fails or is late: `webhook`, `email` and `ping`; see [Alerts](alerts.md).",
  }),
});

/** The jobs of a server whose stack names none. */
export function defaultJobs(kind: ServerKind): Readonly<Record<string, BackupJob>> {
  const schedule = { production: "29 3 * * *", staging: "29 4 * * *", development: undefined }[
    kind
  ];
  return schedule === undefined ? {} : { nightly: backupJobSchema.parse({ schedule }) };
}
