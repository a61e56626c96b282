import { z } from "zod";
import { offsiteCopySchema } from "./catalogue";
import { backupIdSchema } from "./backup-id";
import { acceptedDigestSchema } from "./signature";

const count = z.number().int().nonnegative();

/** Name of a server; the folder of its copies has the same name. */
const serverSchema = z.string().regex(/^[\w-]+$/, "must be the name of a server");

/** stdin of `offsite`. */
export const offsiteListRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  /** The server whose copies are listed. */
  of: serverSchema,
});

/** stdout of `offsite`: all off-site copies of a server, oldest first. */
export const offsiteListSchema = z.strictObject({
  /** The server whose copies these are. */
  server: z.string(),
  /** Remote and path, without secrets. */
  place: z.string(),
  copies: z.array(
    z.strictObject({
      id: backupIdSchema,
      bytes: count,
      /** Whether the backup is also in the repository. */
      isHere: z.boolean(),
    }),
  ),
});
export type OffsiteList = z.infer<typeof offsiteListSchema>;

/** stdin of `offsite-upload`. */
export const offsiteUploadRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
});

/** stdout of `offsite-upload`: the result of each upload and deletion. */
export const offsiteUploadSchema = z.strictObject({
  copies: z.array(z.strictObject({ id: backupIdSchema, copy: offsiteCopySchema })),
});

/** stdin of `offsite-fetch`. */
export const offsiteFetchSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  id: backupIdSchema,
  /** The server whose backup it is. */
  of: serverSchema,
  /** The private key. It is never stored. */
  identity: z.string().min(1, "must be a private key"),
  /** Accepts a copy that is rejected otherwise, by the digest of its manifest. @default none */
  accept: acceptedDigestSchema.optional(),
});
export type OffsiteFetch = z.infer<typeof offsiteFetchSchema>;

/** stdout of `offsite-fetch`. */
export const offsiteFetchedSchema = z.strictObject({
  id: backupIdSchema,
  /** Size of the fetched backup in bytes. */
  bytes: count,
});
export type OffsiteFetched = z.infer<typeof offsiteFetchedSchema>;
