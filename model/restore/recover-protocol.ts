import { z } from "zod";
import { backupIdSchema } from "../backup/backup-id";
import { acceptedDigestSchema } from "../backup/signature";
import { databaseNameSchema } from "../base/database-name";
import { serverKinds } from "../base/names";
import { rolesChoiceSchema } from "./protocol";
import { wholeBackupSchema } from "./whole-backup";

/** stdin of `stagecraft-agent recover`: restores databases that are missing from the server's own backups. */
export const recoverRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  kind: z.enum(serverKinds),
  /** The stack's own database, and what its stack file says about roles. */
  own: z.strictObject({ database: databaseNameSchema, roles: rolesChoiceSchema }),
  /** The backup. @default for each database the newest verified one that has it */
  backup: backupIdSchema.optional(),
  /** Names of databases. @default all that are missing */
  databases: z.array(z.string().min(1)).optional(),
  acceptUnverified: z.boolean().optional(),
  /** Accepts a backup that is rejected otherwise, by the digest of its manifest. */
  accept: acceptedDigestSchema.optional(),
});
export type RecoverRequest = z.infer<typeof recoverRequestSchema>;

/** stdout of `recover`. */
export const recoverResultSchema = z.strictObject({
  others: wholeBackupSchema,
  /** Human-readable: a line for each database, role and difference. */
  text: z.string(),
});
export type RecoverResult = z.infer<typeof recoverResultSchema>;
