import { z } from "zod";
import { applicationReportSchema } from "../application/report";
import { verdictSchema, outcomeSchema } from "../import-log/verdict-schema";
import { acceptedDigestSchema, publicKeySchema } from "../backup/signature";
import { backupIdSchema } from "../backup/backup-id";
import { databaseNameSchema } from "../base/database-name";
import { maxPreviousVersions, serverKinds } from "../base/names";
import { sha256Schema } from "../base/sha256";
import { restoreSummarySchema } from "./summary";
import { offsiteSourceSchema, ownCopiesSchema } from "./offsite-source";
import { preparationSchema, preparationReportSchema } from "./preparation";
import { wholeBackupSchema } from "./whole-backup";

/** Handling of roles that the dump names as owners or grantees. */
export const rolesChoiceSchema = z.enum(["leave out", "create without login"]);
export type RolesChoice = z.infer<typeof rolesChoiceSchema>;

/** Handling of materialized views whose query needs a server that this one cannot reach. */
export const unreachableViewsSchema = z.enum(["fail", "leave empty"]);
export type UnreachableViews = z.infer<typeof unreachableViewsSchema>;

/** The source of a database's contents. */
export const sourceSchema = z.strictObject({
  /** File or folder name, for display. */
  name: z.string().min(1),
  /**
   * SHA-256 of the file; for a folder, of the sorted lines `<sha256>  <name>` of its files. Absent for a backup in a
   * repository, whose manifest has the digests of all files.
   */
  sha256: sha256Schema.optional(),
  /** Backup id; for a dump, if its file name contains one. */
  backup: z.string().optional(),
  /** The server that the contents are from, if known. */
  server: z.string().optional(),
  /** Volume or off-site remote of a backup; absent for a dump. */
  repository: z.string().optional(),
  /** The database to restore from the dump of a whole cluster (pg_dumpall); absent for all others. */
  database: z.string().min(1).optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** Identifies the contents of a source: equal for two sources with the same contents. */
export function contentsId({ name, sha256, backup, repository, database }: Source): string {
  if (sha256 === undefined) return `${repository ?? ""} ${backup ?? name}`;
  return database === undefined ? sha256 : `${sha256} ${database}`;
}

/** stdin of `stagecraft-agent restore`. */
export const restoreRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  kind: z.enum(serverKinds),
  database: databaseNameSchema,
  source: sourceSchema,
  /** Distinguishes restores of the same contents; stamped on the database. */
  restoreId: z.string().min(1),
  /** `replace` (development, staging): different contents are swapped in. `when missing` (production): only a missing database is created. */
  mode: z.enum(["replace", "when missing"]),
  roles: rolesChoiceSchema,
  /** Encoding of a dump that declares none (SQL_ASCII). */
  encoding: z.string().optional(),
  /** Locale of the database, if the dump names none, or one that this server lacks. */
  locale: z.string().optional(),
  /** @default "fail" */
  unreachableViews: unreachableViewsSchema.optional(),
  /** Preparation of the contents before the swap. */
  prepare: preparationSchema.optional(),
  /** Number of previous versions to keep for a rollback. */
  keepPrevious: z.int().min(0).max(maxPreviousVersions).default(1),
  /** Whether an unverified backup may be used. */
  acceptUnverified: z.boolean().optional(),
  /** Allows production to be recovered from a backup of a server of another kind, named explicitly. */
  acceptKind: z.enum(serverKinds).optional(),
  /** Whether production may be restored from a dump that has tables and no rows. */
  acceptSchemaOnly: z.boolean().optional(),
  /** Public key of the server that made the backup. @default the key of its first signed backup that was restored here */
  signedBy: publicKeySchema.optional(),
  /** Accepts a backup that is rejected otherwise, by the digest of its manifest. */
  accept: acceptedDigestSchema.optional(),
  /** Source of an off-site copy; `source.repository` is then its remote and path. */
  offsite: offsiteSourceSchema.optional(),
  /** For production: where its own off-site copies are, which may have newer contents than the source. */
  ownCopies: ownCopiesSchema.optional(),
  /** For production: contents older than the server's backups may be used while no backup is newer than this one. */
  acceptOlder: backupIdSchema.optional(),
});
export type RestoreRequest = z.infer<typeof restoreRequestSchema>;

/** The record of a restore on the database, set by `ALTER DATABASE … SET stagecraft.*`. */
export const stampSchema = z.strictObject({
  server: z.string(),
  restoreId: z.string(),
  source: sourceSchema,
  outcome: outcomeSchema,
  restoredAt: z.iso.datetime(),
});
export type Stamp = z.infer<typeof stampSchema>;

/** Whether a database has the contents of a source, according to its stamp. */
export function hasContents(stamp: Stamp | null, source: Source): boolean {
  return stamp !== null && contentsId(stamp.source) === contentsId(source);
}

/** Report of a restore. stdout of `restore` is the same as one line of JSON, without the details of the verdict. */
export const restoreResultSchema = z.strictObject({
  /**
   * `brought back`: a previous version with these contents was swapped in. `unchanged`: the database already has these
   * contents. `kept`: production already had its database.
   */
  result: z.enum(["restored", "brought back", "unchanged", "kept", "failed"]),
  server: z.string(),
  database: z.string(),
  source: sourceSchema,
  restoreId: z.string(),
  startedAt: z.iso.datetime(),
  /** Duration of each step in seconds, in order. */
  steps: z.array(z.strictObject({ name: z.string(), seconds: z.number() })),
  /** Downtime of the database in seconds; 0 if there was no database before. */
  awaySeconds: z.number().nonnegative(),
  verdict: verdictSchema.optional(),
  /** Result of the preparation before the swap. */
  prepared: preparationReportSchema.optional(),
  /** Summary of the preparation, on stdout. */
  summary: restoreSummarySchema.optional(),
  /** What a recovery did with the rest of the backup: the other databases that were missing, roles, parameters, access rules. */
  others: wholeBackupSchema.optional(),
  /** Human-readable: one line on success, several on failure. */
  text: z.string(),
  /** Time of the swap, if there was one. */
  exchangedAt: z.iso.datetime().optional(),
  /** State of the server's application after the restore, added to the report later. */
  application: applicationReportSchema.optional(),
  /** Name of the complete log in the agent's volume, for `stagecraft log`. */
  log: z.string().optional(),
});
export type RestoreResult = z.infer<typeof restoreResultSchema>;

/** stdout of `report`: the report of the newest restore; `null` when there has been none. */
export const newestReportSchema = restoreResultSchema.nullable();

/** stdout of `logs`: names of the logs of restores, oldest first. */
export const restoreLogsSchema = z.array(z.string());

/** Facts about a database, in the output of `databases` and `observe`. */
export const databaseFactsSchema = z.strictObject({
  name: z.string(),
  owner: z.string(),
  encoding: z.string(),
  locale: z.string(),
  bytes: z.number().int().nonnegative(),
  connections: z.number().int().nonnegative(),
  stamp: stampSchema.nullable(),
});
export type DatabaseFacts = z.infer<typeof databaseFactsSchema>;

/** stdout of `databases`: all databases except PostgreSQL's own. */
export const databasesResultSchema = z.strictObject({ databases: z.array(databaseFactsSchema) });
