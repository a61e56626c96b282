import { z } from "zod";
import { formatBackupId, serverKinds, type BackupId } from "../base/names";
import { sha256Schema } from "../base/sha256";
import { backupIdSchema } from "./id";

const count = z.number().int().nonnegative();

/** An attempt at a backup, kept whatever became of it: a failed one is in the catalogue too, as not a backup. */
export const attemptSchema = z.strictObject({
  id: backupIdSchema,
  /** The job of the schedule; `null` for one made by hand. */
  job: z.string().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  result: z.enum(["backed up", "failed"]),
  /** For people: one line, or cause and fix of a failed one. */
  text: z.string(),
  /** Names of the logs in the agent's volume. */
  logs: z.array(z.string()),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** What the last look at a backup found. Only one that passed a restore makes the backup a verified one. */
export const verificationSchema = z.strictObject({
  checkedAt: z.iso.datetime(),
  result: z.enum(["passed", "failed"]),
  /** Where the files were read: the repository, or the off-site copy. */
  from: z.enum(["repository", "off-site"]),
  /** Whether it was restored, counted and checked with amcheck; otherwise only the checksums were compared. */
  restored: z.boolean(),
  seconds: z.number().nonnegative(),
  /** For people: one line, or what is wrong. */
  text: z.string(),
});
export type Verification = z.infer<typeof verificationSchema>;

/** A copy of a backup away from its server. */
export const offsiteCopySchema = z.strictObject({
  result: z.enum(["uploaded", "failed", "removed"]),
  /** The rclone remote and path, without any secret. */
  remote: z.string(),
  at: z.iso.datetime(),
  /** Size and SHA-256 of what was uploaded, that is encrypted; read back from there. */
  bytes: count,
  sha256: sha256Schema.nullable(),
  text: z.string(),
});
export type OffsiteCopy = z.infer<typeof offsiteCopySchema>;

/** A reason not to remove a backup: a stack or release that names it. */
export const pinSchema = z.strictObject({
  backup: backupIdSchema,
  /** Who names it, e.g. `staging`. */
  by: z.string().min(1),
});
export type Pin = z.infer<typeof pinSchema>;

/** What the manifest of a backup tells, in short. */
export const backupSummarySchema = z.strictObject({
  server: z.string(),
  kind: z.enum(serverKinds),
  job: z.string().nullable(),
  postgres: z.string(),
  databases: z.array(z.strictObject({ name: z.string(), bytes: count, rows: count })),
  /** Bytes on disk. */
  bytes: count,
  seconds: z.number().nonnegative(),
});
export type BackupSummary = z.infer<typeof backupSummarySchema>;

/** One line of the catalogue: a backup, or a failed attempt at one. */
export const catalogueEntrySchema = z.strictObject({
  id: backupIdSchema,
  /** `null` for one whose record is lost, or that came from elsewhere. */
  attempt: attemptSchema.nullable(),
  /** What its manifest tells, in short; `null` where there is no backup under this id here. */
  backup: backupSummarySchema.nullable(),
  /** What it was, where it is off-site alone; it counts for nothing here. */
  away: backupSummarySchema.optional(),
  verification: verificationSchema.nullable(),
  offsite: offsiteCopySchema.nullable(),
  pins: z.array(z.string()),
});
export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>;

/** The newest verified backup; one whose moment is still to come, because a clock was wrong, tells nothing of its age. */
export function newestVerified(catalogue: readonly CatalogueEntry[], now: Date): BackupId | null {
  const newest = formatBackupId(now);
  return catalogue.findLast((entry) => isVerified(entry) && entry.id <= newest)?.id ?? null;
}

/** Whether a backup may count: it is there, and the last look at it found it good by a restore. */
export function isVerified({ backup, verification }: CatalogueEntry): boolean {
  return backup !== null && verification?.result === "passed" && verification.restored;
}
