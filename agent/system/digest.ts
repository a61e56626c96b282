import { createHash } from "node:crypto";
import { open, readdir } from "node:fs/promises";
import path from "node:path";

/** Bytes of a file that are read at once. */
const bufferBytes = 2 ** 20;

/** SHA-256 of a text or of bytes, in hexadecimal. */
export function sha256Of(contents: string | Buffer): string {
  return createHash("sha256").update(contents).digest("hex");
}

/**
 * SHA-256 of a file, in hexadecimal. The next part of the file is read while the current one is hashed.
 *
 * @param onRead Called with the number of bytes of each part.
 */
export async function sha256OfFile(
  file: string,
  onRead: (bytes: number) => void = () => undefined,
): Promise<string> {
  const hash = createHash("sha256");
  const handle = await open(file);
  try {
    // No larger than the file: for 20,000 small files, large buffers would keep the garbage collector busy.
    const bytes = Math.min((await handle.stat()).size + 1, bufferBytes);
    let [current, next] = [Buffer.allocUnsafe(bytes), Buffer.allocUnsafe(bytes)];
    let reading = handle.read(current);
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return hash.digest("hex");
      reading = handle.read(next);
      hash.update(current.subarray(0, bytesRead));
      onRead(bytesRead);
      [current, next] = [next, current];
    }
  } finally {
    await handle.close();
  }
}

/** SHA-256 that identifies a dump in directory format: over the sorted lines of its files' digests, as `sha256sum` prints them. */
export async function hashFolder(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const file of (await readdir(folder)).sort()) {
    lines.push(`${await sha256OfFile(path.join(folder, file))}  ${file}\n`);
  }
  return sha256Of(lines.sort().join(""));
}
