import { z } from "zod";
import { formatBackupId, serverKinds, type BackupId } from "../base/names";
import { sha256Schema } from "../base/sha256";
import { authenticitySchema } from "./authenticity";
import { backupIdSchema } from "./backup-id";

const count = z.number().int().nonnegative();

/** An attempt to make a backup. Failed attempts are recorded as well; they are listed in the catalogue without a backup. */
export const attemptSchema = z.strictObject({
  id: backupIdSchema,
  /** Name of the scheduled job; `null` for a manual backup. */
  job: z.string().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  result: z.enum(["backed up", "failed"]),
  /** Human-readable: one line, or cause and fix of a failure. */
  text: z.string(),
  /** Names of the logs in the agent's volume. */
  logs: z.array(z.string()),
});
export type Attempt = z.infer<typeof attemptSchema>;

/**
 * SHA-256 of the manifest that a record was written for; `null` if the backup had none. Absent in the records of an
 * earlier version.
 */
const manifest = sha256Schema.nullable().optional();

/** Result of the last check of a backup. A backup is verified only if it was restored successfully. */
export const verificationSchema = z.strictObject({
  checkedAt: z.iso.datetime(),
  result: z.enum(["passed", "failed"]),
  /** Where the files were read: the repository, or the off-site copy. */
  from: z.enum(["repository", "off-site"]),
  /** Whether it was restored, counted and checked with amcheck; otherwise only the checksums were compared. */
  restored: z.boolean(),
  seconds: z.number().nonnegative(),
  /** Human-readable: one line, or the problems found. */
  text: z.string(),
  manifest,
});
export type Verification = z.infer<typeof verificationSchema>;

/** The off-site copy of a backup. */
export const offsiteCopySchema = z.strictObject({
  result: z.enum(["uploaded", "failed", "removed"]),
  /** rclone remote and path, without secrets. */
  remote: z.string(),
  at: z.iso.datetime(),
  /** Size and SHA-256 of the encrypted upload, read back from the remote. */
  bytes: count,
  sha256: sha256Schema.nullable(),
  text: z.string(),
  manifest,
});
export type OffsiteCopy = z.infer<typeof offsiteCopySchema>;

/** A reason not to delete a backup: a stack or release refers to it. */
export const pinSchema = z.strictObject({
  backup: backupIdSchema,
  /** Name of that stack or release, e.g. `staging`. */
  by: z.string().min(1),
});
export type Pin = z.infer<typeof pinSchema>;

/** Summary of a backup's manifest. */
export const backupSummarySchema = z.strictObject({
  server: z.string(),
  kind: z.enum(serverKinds),
  job: z.string().nullable(),
  postgres: z.string(),
  databases: z.array(z.strictObject({ name: z.string(), bytes: count, rows: count })),
  /** Whether it is a backup of all databases of the server, not of those that a job names. */
  allDatabases: z.boolean().optional(),
  /** Bytes on disk. */
  bytes: count,
  seconds: z.number().nonnegative(),
});
export type BackupSummary = z.infer<typeof backupSummarySchema>;

/** One line of the catalogue: a backup, or a failed attempt at one. */
export const catalogueEntrySchema = z.strictObject({
  id: backupIdSchema,
  /** `null` if its record is lost, or the backup was copied here from elsewhere. */
  attempt: attemptSchema.nullable(),
  /** Summary of the manifest; `null` if the repository has no backup with this id. */
  backup: backupSummarySchema.nullable(),
  /** Summary of a backup that is off-site only; it is not counted as a backup of this repository. */
  away: backupSummarySchema.optional(),
  verification: verificationSchema.nullable(),
  offsite: offsiteCopySchema.nullable(),
  /** Whether the backup is genuine; absent without a backup, and in the answers of an earlier version. */
  authenticity: authenticitySchema.optional(),
  /** Why records of it do not count, a sentence each; absent if all do. */
  rejectedRecords: z.array(z.string()).optional(),
  pins: z.array(z.string()),
});
export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>;

/** Id of the newest verified backup. Ignores backups with a timestamp in the future, which a wrong clock has caused. */
export function newestVerified(catalogue: readonly CatalogueEntry[], now: Date): BackupId | null {
  const newest = formatBackupId(now);
  return catalogue.findLast((entry) => isVerified(entry) && entry.id <= newest)?.id ?? null;
}

/** Whether a genuine backup exists and its last verification restored it successfully. */
export function isVerified(entry: CatalogueEntry): boolean {
  const { backup, verification } = entry;
  return (
    backup !== null &&
    !isRejected(entry) &&
    verification?.result === "passed" &&
    verification.restored
  );
}

/** Whether the signature of a backup shows that it is not from its server, or was altered. */
export function isRejected({ authenticity }: Pick<CatalogueEntry, "authenticity">): boolean {
  return authenticity?.state === "rejected";
}
