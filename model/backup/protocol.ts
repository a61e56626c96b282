import { z } from "zod";
import { attemptSchema, pinSchema } from "./catalogue";
import { backupIdSchema } from "./backup-id";
import { backupJobSchema, maintenanceJobSchema } from "./job";
import { retentionSchema } from "./retention-policy";
import { verificationConfigSchema } from "./verification-config";
import { alertsConfigSchema, withoutAlertSecrets } from "./alerts";
import { offsiteConfigSchema, withoutSecrets } from "./offsite-config";
import { publicKeySchema } from "./signature";

/** Kinds of scheduled jobs. */
export const jobKinds = ["backup", "verification", "maintenance"] as const;
export type JobKind = (typeof jobKinds)[number];

/** stdin of `stagecraft-agent backups-schedule`: the agent's complete backup schedule. */
export const backupsRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  /** Backup jobs by name. */
  jobs: z.record(z.string(), backupJobSchema),
  /** Maintenance jobs by name. */
  maintenance: z.record(z.string(), maintenanceJobSchema),
  /** Retention rules. */
  keep: retentionSchema,
  /** Schedule of verification, and the maximum age of the newest verified backup; `undefined` if backups are not verified. */
  verify: verificationConfigSchema.optional(),
  /** Backups that stack files refer to. */
  pins: z.array(pinSchema),
  /** Off-site remote, with its credentials. */
  offsite: offsiteConfigSchema.optional(),
  /** Notifications about failed and overdue backups. */
  alerts: alertsConfigSchema.optional(),
  /** Further public keys that the server's own backups may be signed with. */
  signedBy: z.array(publicKeySchema).optional(),
});
export type BackupsRequest = z.infer<typeof backupsRequestSchema>;

/** stdout of `backups-schedule`. */
export const backupsResultSchema = z.strictObject({
  /** Whether the schedule differs from the previous one. */
  changed: z.boolean(),
});
export type BackupsResult = z.infer<typeof backupsResultSchema>;

/** The text that the digest of a request is computed from. It contains no secrets, because the digest is shown. */
export function digestedRequest(request: BackupsRequest): string {
  const { offsite, alerts, ...rest } = request;
  return JSON.stringify({
    ...rest,
    offsite: offsite && withoutSecrets(offsite),
    alerts: alerts && withoutAlertSecrets(alerts),
  });
}

/** stdin of `stagecraft-agent backup`: makes a backup now. */
export const backupRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  /** The job that defines databases and format; `null` for all databases and the defaults. */
  job: z.string().nullable(),
});
export type BackupRequest = z.infer<typeof backupRequestSchema>;

/** Result of a job: stdout of `backup` and of `job`. */
export const jobResultSchema = z.strictObject({
  kind: z.enum(jobKinds),
  /** `null` for a job started manually. */
  name: z.string().nullable(),
  succeeded: z.boolean(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Human-readable: one line, or the error with its cause and fix. */
  text: z.string(),
  /** Id of the backup; of a failed attempt, the id it would have had. */
  backup: backupIdSchema.nullable(),
});
export type JobResult = z.infer<typeof jobResultSchema>;

/** One run of a job. */
const runSchema = z.strictObject({
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  succeeded: z.boolean(),
  /** One line, or cause and fix. */
  text: z.string(),
});

/** The off-site copies of a server, by the agent's records. */
const offsiteObservationSchema = z.strictObject({
  /** rclone remote and path, without secrets. */
  remote: z.string(),
  /** The newest backup that has a copy. */
  newest: backupIdSchema.nullable(),
  /** Why a newer backup has none, if its upload failed. */
  problem: z.string().nullable(),
});
export type OffsiteObservation = z.infer<typeof offsiteObservationSchema>;

/** Observed state of a server's backups: a part of `observe`. */
export const backupsObservationSchema = z.strictObject({
  /** SHA-256 of {@link digestedRequest} of the applied schedule; `null` if none is applied. */
  sha256: z.string().nullable(),
  jobs: z.array(
    z.strictObject({
      kind: z.enum(jobKinds),
      name: z.string(),
      /** Times of the next five runs. */
      next: z.array(z.iso.datetime()),
      last: runSchema.nullable(),
    }),
  ),
  /** The job that is running. */
  running: z
    .strictObject({
      kind: z.enum(jobKinds),
      /** `null` for a job started manually. */
      name: z.string().nullable(),
      startedAt: z.iso.datetime(),
    })
    .nullable(),
  /** The last attempt to make a backup, successful or not. */
  lastAttempt: attemptSchema.nullable(),
  /** Why backups are overdue, a sentence each; empty if they are not. */
  late: z.array(z.string()),
  newest: backupIdSchema.nullable(),
  newestVerified: backupIdSchema.nullable(),
  /** The newest backups of each database; absent in an earlier version. */
  databases: z
    .array(
      z.strictObject({
        name: z.string(),
        newest: backupIdSchema,
        newestVerified: backupIdSchema.nullable(),
      }),
    )
    .optional(),
  /** The off-site copies; absent without an off-site remote, and in an earlier version. */
  offsite: offsiteObservationSchema.optional(),
  /** Maximum age of the newest verified backup, e.g. `26 h`; `null` for no limit. */
  verifiedLimit: z.string().nullable(),
  /** When the schedule was applied. */
  since: z.iso.datetime().nullable(),
  /** Free bytes on the backups volume; `null` if it cannot be read. */
  freeBytes: z.number().nonnegative().nullable(),
  /** Public key that the agent signs backups with; `null` if it cannot sign, absent in an earlier version. */
  signingKey: publicKeySchema.nullable().optional(),
  /** Why backups are rejected, a sentence each. */
  rejected: z.array(z.string()).optional(),
  /** Databases that are in the newest backups and missing on the server; absent in an earlier version. */
  missing: z.array(z.strictObject({ database: z.string(), backup: backupIdSchema })).optional(),
});
export type BackupsObservation = z.infer<typeof backupsObservationSchema>;
