import { z } from "zod";
import { backupIdSchema } from "../backup/backup-id";
import { publicKeySchema } from "../backup/signature";

const count = z.number().int().nonnegative();

/** What a refresh would do; computing it changes nothing. stdout of `stagecraft-agent plan`. */
export const refreshPlanSchema = z.strictObject({
  server: z.string(),
  database: z.string(),
  /** Id of the backup that the live contents are from; `null` if unknown. */
  now: z.string().nullable(),
  backup: z
    .strictObject({
      id: backupIdSchema,
      server: z.string(),
      takenAt: z.iso.datetime(),
      /** Size of the database on its server, in bytes. */
      bytes: count,
      rows: count,
      postgres: z.string(),
      /** When it was verified by a restore; `null` if it was not. */
      verifiedAt: z.iso.datetime().nullable(),
      /** Public key that it is signed with; `null` if it was made by an earlier version, which did not sign. */
      signedBy: publicKeySchema.nullable().optional(),
    })
    .nullable(),
  /** The off-site copy to fetch; further facts about the backup are known only once it is fetched. */
  copy: z.strictObject({ place: z.string(), bytes: count }).nullable(),
  /** Name of a previous version that has these contents and is swapped in again; `null` if there is none. */
  broughtBackFrom: z.string().nullable(),
  /** Volume of the backup, if the agent does not mount it yet: the update will mount it. */
  unread: z.string().nullable(),
  upgrades: z
    .strictObject({
      /** Names of the project's upgrade scripts. */
      scripts: z.array(z.string()),
      /** Scripts not yet applied to the backup's contents, in order; `null` if known only after the restore. */
      pending: z.array(z.string()).nullable(),
    })
    .nullable(),
  masks: z
    .strictObject({
      columns: count,
      tables: count,
      classify: z.enum(["strict", "listed only"]),
      /** Number of columns, if the masks cover all of them; `null` if known only after the restore. */
      classified: count.nullable(),
    })
    .nullable(),
  /** Names of the defuse statements. */
  defuse: z.array(z.string()),
  /** Names of the preserved tables. */
  keep: z.array(z.string()),
  disk: z.strictObject({ needed: count, free: count }).nullable(),
  /** Durations of the last refreshes, newest first: total seconds, and seconds of downtime. */
  past: z.array(z.strictObject({ seconds: z.number(), awaySeconds: z.number() })),
  /** Why the refresh would fail, a sentence each. */
  problems: z.array(z.string()),
});
export type RefreshPlan = z.infer<typeof refreshPlanSchema>;
