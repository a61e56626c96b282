import { z } from "zod";
import { offsiteCopySchema } from "./catalogue";
import { backupIdSchema } from "./id";

const count = z.number().int().nonnegative();

/** The folder of a server's copies has its name. */
const serverSchema = z.string().regex(/^[\w-]+$/, "must be the name of a server");

/** stdin of `offsite`. */
export const offsiteListRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  /** The server whose copies are listed. */
  of: serverSchema,
});

/** stdout of `offsite`: the copies that are there, whoever made them, oldest first. */
export const offsiteListSchema = z.strictObject({
  /** The server they are of. */
  server: z.string(),
  /** Where they lie, without any secret. */
  place: z.string(),
  copies: z.array(
    z.strictObject({
      id: backupIdSchema,
      bytes: count,
      /** Whether the backup itself is here too. */
      isHere: z.boolean(),
    }),
  ),
});
export type OffsiteList = z.infer<typeof offsiteListSchema>;

/** stdin of `offsite-upload`. */
export const offsiteUploadRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
});

/** stdout of `offsite-upload`: what became of each copy that was made or removed. */
export const offsiteUploadSchema = z.strictObject({
  copies: z.array(z.strictObject({ id: backupIdSchema, copy: offsiteCopySchema })),
});

/** stdin of `offsite-fetch`. */
export const offsiteFetchSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  id: backupIdSchema,
  /** The server whose backup it is. */
  of: serverSchema,
  /** The private key. It is kept nowhere. */
  identity: z.string().min(1, "must be a private key"),
});
export type OffsiteFetch = z.infer<typeof offsiteFetchSchema>;

/** stdout of `offsite-fetch`. */
export const offsiteFetchedSchema = z.strictObject({
  id: backupIdSchema,
  /** Bytes of the backup, as it is here now. */
  bytes: count,
});
export type OffsiteFetched = z.infer<typeof offsiteFetchedSchema>;
