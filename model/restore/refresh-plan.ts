import { z } from "zod";
import { backupIdSchema } from "../backup/backup-id";

const count = z.number().int().nonnegative();

/** What a refresh would do, as the agent sees it; nothing has been touched. stdout of `stagecraft-agent plan`. */
export const refreshPlanSchema = z.strictObject({
  server: z.string(),
  database: z.string(),
  /** Id of the backup that the live contents come from; `null` where it is not known. */
  now: z.string().nullable(),
  backup: z
    .strictObject({
      id: backupIdSchema,
      server: z.string(),
      takenAt: z.iso.datetime(),
      /** Size of the database on its server. */
      bytes: count,
      rows: count,
      postgres: z.string(),
      /** When a restore proved it; `null` when none has. */
      verifiedAt: z.iso.datetime().nullable(),
    })
    .nullable(),
  /** The off-site copy that is fetched; all else about the backup is known when it is there. */
  copy: z.strictObject({ place: z.string(), bytes: count }).nullable(),
  /** A former copy that has these contents already: it takes the name again. */
  broughtBackFrom: z.string().nullable(),
  /** The volume that the backup is in, where the agent that is there does not read it yet: the update sees to that. */
  unread: z.string().nullable(),
  upgrades: z
    .strictObject({
      /** Names of the code's upgrade scripts. */
      scripts: z.array(z.string()),
      /** Those that the backup's contents lack, in order; `null` where it is known only when they are restored. */
      pending: z.array(z.string()).nullable(),
    })
    .nullable(),
  masks: z
    .strictObject({
      columns: count,
      tables: count,
      classify: z.enum(["strict", "listed only"]),
      /** Columns that there are, where they are known and the masks fit them all; `null` where that shows later. */
      classified: count.nullable(),
    })
    .nullable(),
  /** Names of the statements. */
  defuse: z.array(z.string()),
  /** Names of tables that are carried over. */
  keep: z.array(z.string()),
  disk: z.strictObject({ needed: count, free: count }).nullable(),
  /** Seconds of the last refreshes, newest first: in all, and without the database. */
  past: z.array(z.strictObject({ seconds: z.number(), awaySeconds: z.number() })),
  /** Why it cannot be done, a sentence each. */
  problems: z.array(z.string()),
});
export type RefreshPlan = z.infer<typeof refreshPlanSchema>;
