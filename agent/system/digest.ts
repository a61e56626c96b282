import { readdir } from "fs/promises";
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import path from "path";

/** Bytes of a file that are read at once. */
const pieceBytes = 2 ** 20;

/** SHA-256 in hexadecimal. */
export function sha256Of(contents: string | Buffer): string {
  return createHash("sha256").update(contents).digest("hex");
}

/**
 * SHA-256 of a file in hexadecimal; it goes through in pieces, of which the next one is read meanwhile, and `onRead`
 * hears of their bytes.
 */
export async function sha256OfFile(
  file: string,
  onRead: (bytes: number) => void = () => undefined,
): Promise<string> {
  const hash = createHash("sha256");
  const handle = await open(file);
  try {
    // No larger than the file: of 20,000 small ones, large pieces are all that the garbage collector is busy with.
    const bytes = Math.min((await handle.stat()).size + 1, pieceBytes);
    let [piece, other] = [Buffer.allocUnsafe(bytes), Buffer.allocUnsafe(bytes)];
    let reading = handle.read(piece);
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return hash.digest("hex");
      reading = handle.read(other);
      hash.update(piece.subarray(0, bytesRead));
      onRead(bytesRead);
      [piece, other] = [other, piece];
    }
  } finally {
    await handle.close();
  }
}

/** The digest by which a dump in directory format goes: over the sorted digests of its files. */
export async function hashFolder(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const file of (await readdir(folder)).sort()) {
    lines.push(`${await sha256OfFile(path.join(folder, file))}  ${file}
`);
  }
  return sha256Of(lines.sort().join(""));
}
