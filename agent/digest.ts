import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** SHA-256 in hexadecimal. */
export function sha256Of(contents: string | Buffer): string {
  return createHash("sha256").update(contents).digest("hex");
}

/** SHA-256 of a file in hexadecimal; it goes through in pieces, and `onRead` hears of their bytes. */
export async function sha256OfFile(
  file: string,
  onRead: (bytes: number) => void = () => undefined,
): Promise<string> {
  const hash = createHash("sha256");
  const source = createReadStream(file, { highWaterMark: 2 ** 20 });
  source.on("data", (chunk) => {
    onRead(chunk.length);
  });
  await pipeline(source, hash);
  return hash.digest("hex");
}
