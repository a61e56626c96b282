import { z } from "zod";
import { catalogueEntrySchema, pinSchema } from "./catalogue";
import { backupIdSchema } from "./id";

const server = z.string().min(1);
const pins = z.array(pinSchema);

/** stdin of `stagecraft-agent backups`, and of `backups-forget`. */
export const catalogueRequestSchema = z.strictObject({ server, pins });
export type CatalogueRequest = z.infer<typeof catalogueRequestSchema>;

const judgementSchema = z.strictObject({
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
  /** Backups, those off-site alone among them, and failed attempts, oldest first. */
  entries: z.array(catalogueEntrySchema),
  /** What the rules in force say of each backup; those of the other place, where it is off-site alone. */
  judgements: z.array(judgementSchema),
  /** The next backup of the schedule. */
  next: z.iso.datetime().nullable(),
  /** How old the newest verified backup may be, e.g. `26 h`. */
  verifiedLimit: z.string().nullable(),
  /** Why the backups are late, if they are. */
  late: z.string().nullable(),
  /** Bytes free where the backups lie. */
  freeBytes: z.number().nonnegative().nullable(),
});
export type Catalogue = z.infer<typeof catalogueSchema>;

/** stdin of `backups-forget`: removes what no rule keeps. */
export const forgetRequestSchema = z.strictObject({ server, pins, dryRun: z.boolean() });
export type ForgetRequest = z.infer<typeof forgetRequestSchema>;

/** stdout of `backups-forget`. */
export const forgetResultSchema = z.strictObject({
  judgements: z.array(judgementSchema),
  /** Those that were removed. */
  removed: z.array(backupIdSchema),
});
export type ForgetResult = z.infer<typeof forgetResultSchema>;

/** stdin of `backups-delete`. */
export const deleteRequestSchema = z.strictObject({
  server,
  pins,
  backups: z.array(backupIdSchema).min(1),
});
export type DeleteRequest = z.infer<typeof deleteRequestSchema>;

/** stdout of `backups-delete`. */
export const deleteResultSchema = z.strictObject({ removed: z.array(backupIdSchema) });
export type DeleteResult = z.infer<typeof deleteResultSchema>;
