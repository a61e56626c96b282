import { z } from "zod";
import { applicationReportSchema } from "../application/report";
import { verdictSchema, outcomeSchema } from "../import-log/verdict-schema";
import { databaseNameSchema } from "../base/database-name";
import { maxPreviousVersions, serverKinds } from "../base/names";
import { sha256Schema } from "../base/sha256";
import { restoreSummarySchema } from "./summary";
import { offsiteSourceSchema } from "./offsite-source";
import { preparationSchema, preparationReportSchema } from "./preparation";

/** What to do with owners and grants of roles that the dump names. */
export const rolesChoiceSchema = z.enum(["leave out", "create without login"]);
export type RolesChoice = z.infer<typeof rolesChoiceSchema>;

/** Which contents a database is made of. */
export const sourceSchema = z.strictObject({
  /** File or folder name, for people. */
  name: z.string().min(1),
  /**
   * SHA-256 of the file; of a folder, over the sorted lines `<sha256>  <name>` of its files. A backup in a repository
   * has none here: its manifest has those of all its files.
   */
  sha256: sha256Schema.optional(),
  /** Backup id; of a dump where the name tells one. */
  backup: z.string().optional(),
  /** The server the contents were taken from, where it is known. */
  server: z.string().optional(),
  /** The volume or the place away from here that a backup is in; absent for a dump. */
  repository: z.string().optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** By what contents are known: two sources with the same one hold the same. */
export function contentsId({ name, sha256, backup, repository }: Source): string {
  return sha256 ?? `${repository ?? ""} ${backup ?? name}`;
}

/** stdin of `stagecraft-agent restore`. */
export const restoreRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  kind: z.enum(serverKinds),
  database: databaseNameSchema,
  source: sourceSchema,
  /** Tells one restore of the same contents from the next; stamped on the database. */
  restoreId: z.string().min(1),
  /** `replace` (development, staging): other contents take the name. `when missing` (production): only a database that is not there is made. */
  mode: z.enum(["replace", "when missing"]),
  roles: rolesChoiceSchema,
  /** What the dump's text is encoded in, for a dump that does not know (SQL_ASCII). */
  encoding: z.string().optional(),
  /** Locale of the database, where the dump names none or one that this server has not. */
  locale: z.string().optional(),
  /** What is done to the contents before they take the name. */
  prepare: preparationSchema.optional(),
  /** How many former copies of the database stay for a rollback. */
  keepPrevious: z.int().min(0).max(maxPreviousVersions).default(1),
  /** Whether a backup may be used that no restore has proven yet. */
  acceptUnverified: z.boolean().optional(),
  /** Whether production may be recovered from a backup of a server of another kind: only by the word of that kind. */
  acceptKind: z.enum(serverKinds).optional(),
  /** Where an off-site copy is fetched from; `source.repository` then names the place. */
  offsite: offsiteSourceSchema.optional(),
});
export type RestoreRequest = z.infer<typeof restoreRequestSchema>;

/** What a database is stamped with, by `ALTER DATABASE … SET stagecraft.*`. */
export const stampSchema = z.strictObject({
  server: z.string(),
  restoreId: z.string(),
  source: sourceSchema,
  outcome: outcomeSchema,
  restoredAt: z.iso.datetime(),
});
export type Stamp = z.infer<typeof stampSchema>;

/** Whether what a database is stamped with is what a source holds. */
export function hasContents(stamp: Stamp | null, source: Source): boolean {
  return stamp !== null && contentsId(stamp.source) === contentsId(source);
}

/** The report of a restore. stdout of `restore` is the same in one JSON line, without the verdict's details. */
export const restoreResultSchema = z.strictObject({
  /**
   * `brought back`: a former copy holds these contents and has the name again. `unchanged`: the database has them
   * already. `kept`: production had its database already.
   */
  result: z.enum(["restored", "brought back", "unchanged", "kept", "failed"]),
  server: z.string(),
  database: z.string(),
  source: sourceSchema,
  restoreId: z.string(),
  startedAt: z.iso.datetime(),
  /** Seconds of each step, in order. */
  steps: z.array(z.strictObject({ name: z.string(), seconds: z.number() })),
  /** Seconds the name answered nobody; 0 when there was no database before. */
  awaySeconds: z.number().nonnegative(),
  verdict: verdictSchema.optional(),
  /** What was done to the contents before they took the name. */
  prepared: preparationReportSchema.optional(),
  /** The same in short, on stdout. */
  summary: restoreSummarySchema.optional(),
  /** For people: one line when all is well, a few when not. */
  text: z.string(),
  /** When the contents got the database's name, where they did. */
  exchangedAt: z.iso.datetime().optional(),
  /** What became of the application then, where the server has one; it comes into the report after the restore. */
  application: applicationReportSchema.optional(),
  /** Name of the full log in the agent's volume, for `stagecraft log`. */
  log: z.string().optional(),
});
export type RestoreResult = z.infer<typeof restoreResultSchema>;

/** stdout of `report`: the report of the newest restore; `null` when there has been none. */
export const newestReportSchema = restoreResultSchema.nullable();

/** stdout of `logs`: names of the logs of restores, oldest first. */
export const restoreLogsSchema = z.array(z.string());

/** One database, as `databases` and `observe` tell of it. */
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

/** stdout of `databases`: all but PostgreSQL's own. */
export const databasesResultSchema = z.strictObject({ databases: z.array(databaseFactsSchema) });
