import { z } from "zod";
import { scheduleSchema, timeZoneSchema } from "../backup/timing";
import { serverKinds } from "../base/names";
import { databaseNameSchema } from "../base/database-name";
import { parseTarget } from "./recovery-target";

const count = z.number().int().nonnegative();
const timestamp = z.iso.datetime();

/** Schedule and retention of a server's archive. */
export const archiveConfigSchema = z.strictObject({
  /** Schedule of full base backups, as in crontab(5). */
  full: scheduleSchema,
  differential: scheduleSchema,
  timeZone: timeZoneSchema,
  /** Number of full base backups to keep. */
  keepFull: z.int().min(1),
  /** Maximum bytes of WAL waiting in PostgreSQL's volume while archiving fails. */
  mostWaiting: z.int().min(64 * 2 ** 20),
});
export type ArchiveConfig = z.infer<typeof archiveConfigSchema>;

/** stdin of `stagecraft-agent archive`: switches archiving on or off. */
export const archiveRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().regex(/^[\w.-]+$/, "must be a server's name"),
  /** `null` switches archiving off. */
  archive: archiveConfigSchema.nullable(),
});
export type ArchiveRequest = z.infer<typeof archiveRequestSchema>;

/** stdout of `archive`. */
export const archiveResultSchema = z.strictObject({
  changed: z.boolean(),
  on: z.boolean(),
});
export type ArchiveResult = z.infer<typeof archiveResultSchema>;

/** Types of base backups: the whole cluster, or the changes since the last full backup. */
export const baseBackupTypes = ["full", "differential"] as const;
export type BaseBackupType = (typeof baseBackupTypes)[number];

/** stdin of `stagecraft-agent base-backup`. */
export const baseBackupRequestSchema = z.strictObject({
  server: z.string().min(1),
  type: z.enum(baseBackupTypes),
});

/** Result of a base backup. */
export const baseBackupResultSchema = z.strictObject({
  result: z.enum(["backed up", "failed"]),
  type: z.enum(baseBackupTypes),
  startedAt: timestamp,
  seconds: z.number().nonnegative(),
  /** Human-readable: one line, or cause and fix. */
  text: z.string(),
});
export type BaseBackupResult = z.infer<typeof baseBackupResultSchema>;

/** stdout of `base-backup`; `null` when there was nothing to back up. */
export const baseBackupAnswerSchema = baseBackupResultSchema.nullable();

/** A target as the user enters it; see {@link parseTarget}. */
const targetSchema = z.string().superRefine((text, context) => {
  const target = parseTarget(text);
  if ("problem" in target) context.addIssue(`must ${target.problem}`);
});

/** stdin of `stagecraft-agent side-restore`. */
export const recoveryInstanceRequestSchema = z.strictObject({
  server: z.string().min(1),
  to: targetSchema,
  /** Hours after which the recovery instance is removed. */
  hours: z
    .number()
    .positive()
    .max(24 * 14),
});
export type RecoveryInstanceRequest = z.infer<typeof recoveryInstanceRequestSchema>;

/** A recovery instance: the server restored to a point in time, as a separate read-only instance. */
export const recoveryInstanceSchema = z.strictObject({
  /** The requested target. */
  to: z.string(),
  /** Time of the last recovered transaction; `null` if PostgreSQL's server log does not contain it. */
  lastChangeAt: timestamp.nullable(),
  /** The base backup it was restored from. */
  backup: z.string(),
  /** System identifier of the original cluster. */
  systemIdentifier: z.string(),
  madeAt: timestamp,
  /** When it is removed automatically. */
  removedAt: timestamp,
  seconds: z.number().nonnegative(),
  databases: z.array(z.strictObject({ name: z.string(), bytes: count })),
});
export type RecoveryInstance = z.infer<typeof recoveryInstanceSchema>;

/** stdout of `side`. */
export const recoveryInstanceResultSchema = z.strictObject({
  side: recoveryInstanceSchema.nullable(),
});

/** stdout of `side-remove`. */
export const removedInstanceSchema = z.strictObject({
  /** `false`: there was none. */
  removed: z.boolean(),
});

/** stdin of `stagecraft-agent side-copy-table`. */
export const copyTableRequestSchema = z.strictObject({
  server: z.string().min(1),
  database: databaseNameSchema,
  /** Schema of the table in the recovery instance. */
  schema: z.string().min(1),
  table: z.string().min(1),
  /** Schema of the new table, which must not exist yet. */
  toSchema: z.string().min(1),
  toTable: z.string().min(1),
});
export type CopyTableRequest = z.infer<typeof copyTableRequestSchema>;

/** stdout of `side-copy-table`. */
export const copyTableResultSchema = z.strictObject({
  schema: z.string(),
  table: z.string(),
  rows: count,
  seconds: z.number().nonnegative(),
});
export type CopyTableResult = z.infer<typeof copyTableResultSchema>;

/** stdin of `stagecraft-agent side-restore-table`: brings a dropped table back in its place. */
export const restoreTableRequestSchema = z.strictObject({
  server: z.string().min(1),
  database: databaseNameSchema,
  schema: z.string().min(1),
  table: z.string().min(1),
});
export type RestoreTableRequest = z.infer<typeof restoreTableRequestSchema>;

/** stdout of `side-restore-table`. */
export const restoreTableResultSchema = z.strictObject({
  schema: z.string(),
  table: z.string(),
  rows: count,
  /** The table, its partitions, and the views on them: qualified names. */
  restored: z.array(z.string()),
  /** What could not be brought back, a sentence each, with the fix. */
  notes: z.array(z.string()),
  seconds: z.number().nonnegative(),
});
export type RestoreTableResult = z.infer<typeof restoreTableResultSchema>;

/** stdin of `stagecraft-agent side-copy-database`; stdout is that of a restore. */
export const copyDatabaseRequestSchema = z.strictObject({
  server: z.string().min(1),
  kind: z.enum(serverKinds),
  /** Database name in the recovery instance. */
  database: databaseNameSchema,
  /** Name of the database on the server: a new one, or on development and staging an existing one to replace. */
  to: databaseNameSchema,
  /** Whether an existing database may be replaced. */
  replace: z.boolean(),
  /** On production, the name of the database again: an operator has confirmed that it is replaced. */
  confirm: z.string().optional(),
});
export type CopyDatabaseRequest = z.infer<typeof copyDatabaseRequestSchema>;

/** Observed state of a server's archive; part of `observe`. */
export const archiveObservationSchema = z.strictObject({
  /** Whether PostgreSQL archives WAL. */
  on: z.boolean(),
  /** The applied configuration; `null` if archiving is off. */
  choice: archiveConfigSchema.nullable(),
  /** Number of WAL segments, of 16 MB each, waiting to be archived. */
  waiting: count,
  /** Seconds the oldest of them has been waiting. */
  behindSeconds: z.number().nonnegative(),
  lastArchivedAt: timestamp.nullable(),
  /** Why the last attempt to archive failed; `null` if it succeeded. */
  failure: z.string().nullable(),
  /** Any other problem of the archive; `null` if there is none. */
  problem: z.string().nullable(),
  /** The time ranges that can be recovered, oldest first. */
  windows: z.array(z.strictObject({ first: timestamp, last: timestamp })),
  backups: z.array(
    z.strictObject({
      label: z.string(),
      type: z.string(),
      stoppedAt: timestamp,
      bytes: count,
      storedBytes: count,
    }),
  ),
  lastBackup: baseBackupResultSchema.nullable(),
  /** Times of the next base backups. */
  next: z.array(z.strictObject({ type: z.enum(baseBackupTypes), at: timestamp })),
  side: recoveryInstanceSchema.nullable(),
});
export type ArchiveObservation = z.infer<typeof archiveObservationSchema>;
