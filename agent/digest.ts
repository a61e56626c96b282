import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** SHA-256 in hexadecimal. */
export function sha256Of(contents: string | Buffer): string {
  return createHash("sha256").update(contents).digest("hex");
}

/** SHA-256 of a file in hexadecimal; it goes through in pieces. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest("hex");
}
