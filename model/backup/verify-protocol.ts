import { z } from "zod";
import { verificationSchema } from "./catalogue";
import { backupIdSchema } from "./id";

/** stdin of `stagecraft-agent verify`. */
export const verifyRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  /** The newest one that is not verified, when it is left out. */
  backup: backupIdSchema.optional(),
});
export type VerifyRequest = z.infer<typeof verifyRequestSchema>;

/** stdout of `verify`: what was found, as it stands in the catalogue now. */
export const verifyResultSchema = z.strictObject({
  /** `null`: there is nothing to verify. */
  backup: backupIdSchema.nullable(),
  verification: verificationSchema.nullable(),
  /** Name of the full log of each database's restore, for `stagecraft log`. */
  logs: z.array(z.string()),
});
export type VerifyResult = z.infer<typeof verifyResultSchema>;
