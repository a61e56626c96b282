import { z } from "zod";
import { verificationSchema } from "./catalogue";
import { backupIdSchema } from "./backup-id";
import { acceptedDigestSchema } from "./signature";

/** stdin of `stagecraft-agent verify`. */
export const verifyRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  /** Id of the backup. @default the newest unverified backup */
  backup: backupIdSchema.optional(),
  /** Accepts that backup, although its signature is missing or wrong, by the digest of its manifest. @default none */
  accept: acceptedDigestSchema.optional(),
});
export type VerifyRequest = z.infer<typeof verifyRequestSchema>;

/** stdout of `verify`: the result, as recorded in the catalogue. */
export const verifyResultSchema = z.strictObject({
  /** `null` if there is nothing to verify. */
  backup: backupIdSchema.nullable(),
  verification: verificationSchema.nullable(),
  /** Names of the restore logs, one per database, for `stagecraft log`. */
  logs: z.array(z.string()),
});
export type VerifyResult = z.infer<typeof verifyResultSchema>;
