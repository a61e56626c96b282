import { z } from "zod";
import { attemptSchema, pinSchema } from "./catalogue";
import { backupIdSchema } from "./id";
import { backupJobSchema, maintenanceJobSchema } from "./job";
import { keepSchema } from "./retention-rules";
import { verifySettingsSchema } from "./verify-settings";
import { alertsSettingsSchema, withoutAlertSecrets } from "./alerts";
import { offsiteSettingsSchema, withoutSecrets } from "./offsite";

/** What sort of work a job of the agent's schedule is. */
export const jobKinds = ["backup", "verification", "maintenance"] as const;
export type JobKind = (typeof jobKinds)[number];

/** stdin of `stagecraft-agent backups-schedule`: everything the agent does by itself about backups. */
export const backupsRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  /** Jobs that make backups, by name. */
  jobs: z.record(z.string(), backupJobSchema),
  /** Jobs that vacuum and analyze, by name. */
  maintenance: z.record(z.string(), maintenanceJobSchema),
  /** Which backups stay. */
  keep: keepSchema,
  /** When the newest backup is verified, and how old it may be; `undefined` for never. */
  verify: verifySettingsSchema.optional(),
  /** Backups that stacks name. */
  pins: z.array(pinSchema),
  /** Where backups are copied to, with the secrets of the way there. */
  offsite: offsiteSettingsSchema.optional(),
  /** Who is told when a backup fails or is late. */
  alerts: alertsSettingsSchema.optional(),
});
export type BackupsRequest = z.infer<typeof backupsRequestSchema>;

/** stdout of `backups-schedule`. */
export const backupsResultSchema = z.strictObject({
  /** Whether another schedule was in force before. */
  changed: z.boolean(),
});
export type BackupsResult = z.infer<typeof backupsResultSchema>;

/** The text of a request that its digest is of. Whatever is secret in it must not be in here: the digest is shown. */
export function digestedRequest(request: BackupsRequest): string {
  const { offsite, alerts, ...rest } = request;
  return JSON.stringify({
    ...rest,
    offsite: offsite && withoutSecrets(offsite),
    alerts: alerts && withoutAlertSecrets(alerts),
  });
}

/** stdin of `stagecraft-agent backup`: a backup now. */
export const backupRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  /** The job whose databases and format it has; `null` for all databases and the defaults. */
  job: z.string().nullable(),
});
export type BackupRequest = z.infer<typeof backupRequestSchema>;

/** What became of a job: stdout of `backup` and of `job`. */
export const jobResultSchema = z.strictObject({
  kind: z.enum(jobKinds),
  /** `null` for one asked for by hand. */
  name: z.string().nullable(),
  succeeded: z.boolean(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** For people: one line, or what went wrong, its cause and the fix. */
  text: z.string(),
  /** The backup that was made; of a failed attempt the id it would have had. */
  backup: backupIdSchema.nullable(),
});
export type JobResult = z.infer<typeof jobResultSchema>;

/** One run of a job, for people. */
const runSchema = z.strictObject({
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  succeeded: z.boolean(),
  /** One line, or cause and fix. */
  text: z.string(),
});

/** What is seen of a server's backups: a part of `observe`. */
export const backupsObservationSchema = z.strictObject({
  /** SHA-256 of {@link digestedRequest} of what is in force; `null` while nothing is. */
  sha256: z.string().nullable(),
  jobs: z.array(
    z.strictObject({
      kind: z.enum(jobKinds),
      name: z.string(),
      /** Its next five runs. */
      next: z.array(z.iso.datetime()),
      last: runSchema.nullable(),
    }),
  ),
  /** What is being done now. */
  running: z
    .strictObject({
      kind: z.enum(jobKinds),
      /** `null` for one asked for by hand. */
      name: z.string().nullable(),
      startedAt: z.iso.datetime(),
    })
    .nullable(),
  /** The last attempt at a backup, whatever became of it. */
  lastAttempt: attemptSchema.nullable(),
  /** Why backups are overdue, a sentence each. */
  late: z.array(z.string()),
  newest: backupIdSchema.nullable(),
  newestVerified: backupIdSchema.nullable(),
  /** How old the newest verified one may be, e.g. `26 h`; `null` for any age. */
  verifiedLimit: z.string().nullable(),
  /** When the schedule was put in force. */
  since: z.iso.datetime().nullable(),
  /** Bytes free where the backups lie; `null` when that cannot be reached. */
  freeBytes: z.number().nonnegative().nullable(),
});
export type BackupsObservation = z.infer<typeof backupsObservationSchema>;
