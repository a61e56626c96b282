import { z } from "zod";

/** A SHA-256 digest in lower-case hexadecimal. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal");
