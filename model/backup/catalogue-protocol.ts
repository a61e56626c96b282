import { z } from "zod";
import { catalogueEntrySchema, pinSchema } from "./catalogue";
import { backupIdSchema } from "./backup-id";

const server = z.string().min(1);
const pins = z.array(pinSchema);

/** stdin of `stagecraft-agent backups`, and of `backups-forget`. */
export const catalogueRequestSchema = z.strictObject({ server, pins });
export type CatalogueRequest = z.infer<typeof catalogueRequestSchema>;

const retentionDecisionSchema = z.strictObject({
  id: backupIdSchema,
  keep: z.boolean(),
  rules: z.array(z.string()).readonly(),
  why: z.string(),
});

/** stdout of `backups`. */
export const catalogueSchema = z.strictObject({
  server,
  /** The agent's time. */
  now: z.iso.datetime(),
  /** Backups, including off-site only ones, and failed attempts, oldest first. */
  entries: z.array(catalogueEntrySchema),
  /** The retention decision for each backup; for one that is off-site only, by the off-site rules. */
  judgements: z.array(retentionDecisionSchema),
  /** Time of the next scheduled backup. */
  next: z.iso.datetime().nullable(),
  /** Maximum age of the newest verified backup, e.g. `26 h`. */
  verifiedLimit: z.string().nullable(),
  /** Why backups are overdue; `null` if they are not. */
  late: z.string().nullable(),
  /** Free bytes on the backups volume. */
  freeBytes: z.number().nonnegative().nullable(),
});
export type Catalogue = z.infer<typeof catalogueSchema>;

/** stdin of `backups-forget`: deletes backups that no rule retains. */
export const pruneRequestSchema = z.strictObject({ server, pins, dryRun: z.boolean() });
export type PruneRequest = z.infer<typeof pruneRequestSchema>;

/** stdout of `backups-forget`. */
export const pruneResultSchema = z.strictObject({
  judgements: z.array(retentionDecisionSchema),
  /** Ids of the deleted backups. */
  removed: z.array(backupIdSchema),
});
export type PruneResult = z.infer<typeof pruneResultSchema>;

/** stdin of `backups-delete`. */
export const deleteRequestSchema = z.strictObject({
  server,
  pins,
  backups: z.array(backupIdSchema).min(1),
  /** Databases whose last verified backup may be deleted. */
  lastOf: z.array(z.string()).optional(),
});
export type DeleteRequest = z.infer<typeof deleteRequestSchema>;

/** stdout of `backups-delete`. */
export const deleteResultSchema = z.strictObject({ removed: z.array(backupIdSchema) });
export type DeleteResult = z.infer<typeof deleteResultSchema>;
