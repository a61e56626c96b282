import { z } from "zod";
import { serverKinds } from "../base/names";
import { sha256Schema } from "../base/sha256";
import { recordedLedgerSchema } from "../upgrades/ledger";
import { backupIdSchema } from "./backup-id";

/** Formats of a dump: `pg_dump -F d`, `-F c` or `-F p`. */
export const dumpFormats = ["directory", "custom", "plain"] as const;
export type BackupFormat = (typeof dumpFormats)[number];

/** Compression methods of a dump. */
export const dumpCompressions = ["zstd", "lz4", "gzip", "bzip2", "none"] as const;
export type BackupCompression = (typeof dumpCompressions)[number];

const count = z.number().int().nonnegative();

/** Control characters, NUL among them. */
const control = /[\u0000-\u001f\u007f]/;

/** Whether a path is relative and stays below its folder. */
function isBelowFolder(path: string): boolean {
  const parts = path.split("/");
  return !control.test(path) && parts.every((part) => part !== "" && part !== "." && part !== "..");
}

/** A path below a backup's folder: not absolute, without `.`, `..` and control characters. */
const relativePathSchema = z
  .string()
  .refine(isBelowFolder, { error: "must be a path below the backup's folder" });

/** A file of a backup; its path is relative to the backup's folder. */
export const backupFileSchema = z.strictObject({
  path: relativePathSchema,
  bytes: count,
  sha256: sha256Schema,
});
export type BackupFile = z.infer<typeof backupFileSchema>;

/** A table, with its row count in the snapshot of the dump. */
export const countedTableSchema = z.strictObject({
  schema: z.string(),
  name: z.string(),
  rows: count,
});
export type CountedTable = z.infer<typeof countedTableSchema>;

/** One database in a backup. */
export const backedUpDatabaseSchema = z.strictObject({
  /** Any name that PostgreSQL allows; the database need not be managed by Stagecraft. */
  name: z.string().min(1),
  /** The dump, a file, or a folder for format `directory`: `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ext>`. */
  dump: relativePathSchema,
  format: z.enum(dumpFormats),
  compression: z.enum(dumpCompressions),
  /** Parallel jobs of `pg_dump`. */
  parallel: z.number().int().positive(),
  encoding: z.string(),
  locale: z.string(),
  /** Size of the database on its server, in bytes. */
  bytes: count,
  /** Ordinary tables and leaf partitions, ordered by name. */
  tables: z.array(countedTableSchema),
  largeObjects: count,
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string() })),
  /** Upgrade scripts applied to the data; absent if they were not recorded, or could not be read. */
  upgrades: recordedLedgerSchema.optional(),
  seconds: z.number().nonnegative(),
});
export type BackedUpDatabase = z.infer<typeof backedUpDatabaseSchema>;

/**
 * Contents of a backup: `manifest.json` in its folder, written last. A folder without a manifest is not a backup. It is
 * never changed afterwards; the backup's later history is in its records (`catalogue.ts`).
 */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  id: backupIdSchema,
  server: z.string().min(1),
  kind: z.enum(serverKinds),
  /** Name of the scheduled job; `null` for a manual backup. */
  job: z.string().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  postgres: z.strictObject({ version: z.string(), systemIdentifier: z.string() }),
  agentVersion: z.string(),
  /** Revision of the application's code; `null` if the server has no application. */
  applicationRevision: z.string().nullable(),
  databases: z.array(backedUpDatabaseSchema),
  /** Whether it is a backup of all databases of the server, not of those that a job names; absent in those of earlier versions. */
  allDatabases: z.boolean().optional(),
  /** All files except the manifest itself, ordered by path. */
  files: z.array(backupFileSchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Size of a backup on disk in bytes, without its manifest. */
export function backupBytes({ files }: Pick<Manifest, "files">): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
