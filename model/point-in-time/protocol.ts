import { z } from "zod";
import { timeZoneSchema } from "../backup/timing";
import { scheduleSchema } from "../backup/timing";
import { serverKinds } from "../base/names";
import { databaseNameSchema } from "../base/database-name";
import { readTarget } from "./target";

const count = z.number().int().nonnegative();
const moment = z.iso.datetime();

/** What the archive of a server keeps. */
export const archiveChoiceSchema = z.strictObject({
  /** When base backups are made, as in crontab. */
  full: scheduleSchema,
  differential: scheduleSchema,
  timeZone: timeZoneSchema,
  /** Full base backups to keep. */
  keepFull: z.int().min(1),
  /** Bytes of the write-ahead log that may wait in PostgreSQL's volume when they cannot be archived. */
  mostWaiting: z.int().min(64 * 2 ** 20),
});
export type ArchiveChoice = z.infer<typeof archiveChoiceSchema>;

/** stdin of `stagecraft-agent archive`: switches archiving on or off. */
export const archiveRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().regex(/^[\w.-]+$/, "must be a server's name"),
  /** `null`: nothing is archived. */
  archive: archiveChoiceSchema.nullable(),
});
export type ArchiveRequest = z.infer<typeof archiveRequestSchema>;

/** stdout of `archive`. */
export const archiveResultSchema = z.strictObject({
  changed: z.boolean(),
  on: z.boolean(),
});
export type ArchiveResult = z.infer<typeof archiveResultSchema>;

/** What is made: all of the cluster, or what has changed since the last full one. */
export const baseBackupTypes = ["full", "differential"] as const;
export type BaseBackupType = (typeof baseBackupTypes)[number];

/** stdin of `stagecraft-agent base-backup`. */
export const baseBackupRequestSchema = z.strictObject({
  server: z.string().min(1),
  type: z.enum(baseBackupTypes),
});

/** What became of a base backup; stdout of `base-backup`. */
export const baseBackupResultSchema = z.strictObject({
  result: z.enum(["backed up", "failed"]),
  type: z.enum(baseBackupTypes),
  startedAt: moment,
  seconds: z.number().nonnegative(),
  /** For people: one line, or cause and fix. */
  text: z.string(),
});
export type BaseBackupResult = z.infer<typeof baseBackupResultSchema>;

/** A target as people write it; see {@link readTarget}. */
const targetSchema = z.string().superRefine((text, context) => {
  const target = readTarget(text);
  if ("problem" in target) context.addIssue(`must ${target.problem}`);
});

/** stdin of `stagecraft-agent side-restore`. */
export const sideRequestSchema = z.strictObject({
  server: z.string().min(1),
  to: targetSchema,
  /** Hours after which the side cluster is removed. */
  hours: z
    .number()
    .positive()
    .max(24 * 14),
});
export type SideRequest = z.infer<typeof sideRequestSchema>;

/** A side cluster: the server as it was, beside it. */
export const sideSchema = z.strictObject({
  /** The target, as it was asked for. */
  to: z.string(),
  /** The last change that is in it, where its log tells. */
  lastChangeAt: moment.nullable(),
  /** The base backup it was made from. */
  backup: z.string(),
  /** The cluster it is a copy of. */
  systemIdentifier: z.string(),
  madeAt: moment,
  /** Then it is removed. */
  removedAt: moment,
  seconds: z.number().nonnegative(),
  databases: z.array(z.strictObject({ name: z.string(), bytes: count })),
});
export type Side = z.infer<typeof sideSchema>;

/** stdout of `side`. */
export const sideResultSchema = z.strictObject({ side: sideSchema.nullable() });

/** stdin of `stagecraft-agent side-copy-table`. */
export const copyTableRequestSchema = z.strictObject({
  server: z.string().min(1),
  database: databaseNameSchema,
  /** Where it is in the side cluster. */
  schema: z.string().min(1),
  table: z.string().min(1),
  /** Where it goes: a table that is not there yet. */
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

/** stdin of `stagecraft-agent side-copy-database`; stdout is that of a restore. */
export const copyDatabaseRequestSchema = z.strictObject({
  server: z.string().min(1),
  kind: z.enum(serverKinds),
  /** Its name in the side cluster. */
  database: databaseNameSchema,
  /** The name it gets: a new one, or on development and staging that of a database, whose place it takes. */
  to: databaseNameSchema,
  /** Whether it may take the place of a database. */
  replace: z.boolean(),
});
export type CopyDatabaseRequest = z.infer<typeof copyDatabaseRequestSchema>;

/** What is seen of a server's archive; part of `observe`. */
export const archiveObservationSchema = z.strictObject({
  /** Whether PostgreSQL archives. */
  on: z.boolean(),
  /** What was chosen last; `null` while off. */
  choice: archiveChoiceSchema.nullable(),
  /** Segments of the log, of 16 MB, that wait to be archived. */
  waiting: count,
  /** For how long the oldest of them has been waiting. */
  behindSeconds: z.number().nonnegative(),
  lastArchivedAt: moment.nullable(),
  /** Why the last attempt failed; `null` when it did not. */
  failure: z.string().nullable(),
  /** What else is wrong with the archive; `null` when nothing is. */
  problem: z.string().nullable(),
  /** What can be recovered, oldest first. */
  windows: z.array(z.strictObject({ first: moment, last: moment })),
  backups: z.array(
    z.strictObject({
      label: z.string(),
      type: z.string(),
      stoppedAt: moment,
      bytes: count,
      storedBytes: count,
    }),
  ),
  lastBackup: baseBackupResultSchema.nullable(),
  /** When the next ones are made. */
  next: z.array(z.strictObject({ type: z.enum(baseBackupTypes), at: moment })),
  side: sideSchema.nullable(),
});
export type ArchiveObservation = z.infer<typeof archiveObservationSchema>;
