import { z } from "zod";
import { serverKinds } from "../base/names";
import { sha256Schema } from "../base/sha256";
import { recordedLedgerSchema } from "../upgrades/ledger";
import { backupIdSchema } from "./id";

/** What form the dump of a database has: `pg_dump -F d`, `-F c` or `-F p`. */
export const dumpFormats = ["directory", "custom", "plain"] as const;
export type BackupFormat = (typeof dumpFormats)[number];

/** What a dump is packed with. */
export const dumpCompressions = ["zstd", "lz4", "gzip", "bzip2", "none"] as const;
export type BackupCompression = (typeof dumpCompressions)[number];

const count = z.number().int().nonnegative();

/** A file of a backup; its path is from the backup's folder. */
export const backupFileSchema = z.strictObject({
  path: z.string().min(1),
  bytes: count,
  sha256: sha256Schema,
});
export type BackupFile = z.infer<typeof backupFileSchema>;

/** A table, with its rows counted in the snapshot that the dump was taken from. */
export const countedTableSchema = z.strictObject({
  schema: z.string(),
  name: z.string(),
  rows: count,
});
export type CountedTable = z.infer<typeof countedTableSchema>;

/** One database in a backup. */
export const backedUpDatabaseSchema = z.strictObject({
  /** Any that PostgreSQL takes, also of a database that Stagecraft does not look after otherwise. */
  name: z.string().min(1),
  /** The dump, a file or for `directory` a folder: `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ext>`. */
  dump: z.string().min(1),
  format: z.enum(dumpFormats),
  compression: z.enum(dumpCompressions),
  /** Jobs of `pg_dump`. */
  parallel: z.number().int().positive(),
  encoding: z.string(),
  locale: z.string(),
  /** Size of the database on its server. */
  bytes: count,
  /** Ordinary and leaf tables with rows of their own, in the order of their names. */
  tables: z.array(countedTableSchema),
  largeObjects: count,
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string() })),
  /** Upgrade scripts that the data has been through; absent where it was not looked at, or could not be read. */
  upgrades: recordedLedgerSchema.optional(),
  seconds: z.number().nonnegative(),
});
export type BackedUpDatabase = z.infer<typeof backedUpDatabaseSchema>;

/**
 * What a backup holds: `manifest.json` in its folder, written last. A folder without one is no backup. It is never
 * changed afterwards; what becomes of the backup stands in its records (`catalogue.ts`).
 */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  id: backupIdSchema,
  server: z.string().min(1),
  kind: z.enum(serverKinds),
  /** The job of the schedule that made it; `null` for one made by hand. */
  job: z.string().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  postgres: z.strictObject({ version: z.string(), systemIdentifier: z.string() }),
  agentVersion: z.string(),
  /** Revision of the application's code, where the server knows it. */
  applicationRevision: z.string().nullable(),
  databases: z.array(backedUpDatabaseSchema),
  /** Every file but the manifest itself, in the order of their paths. */
  files: z.array(backupFileSchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Bytes of a backup on disk, without its manifest. */
export function backupBytes({ files }: Pick<Manifest, "files">): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
