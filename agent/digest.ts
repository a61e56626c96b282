import { createHash } from "node:crypto";

/** SHA-256 in hexadecimal. */
export function sha256Of(contents: string | Buffer): string {
  return createHash("sha256").update(contents).digest("hex");
}
