import { createHash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";

const chunk = 4 * 2 ** 20;

/**
 * SHA-256 of a file, read in chunks. It is remembered in `cacheFolder` until the file's size, times or inode change,
 * so that a large dump costs its reading time only once.
 */
export function digestOfFile(path: string, cacheFolder: string): string {
  const file = openSync(path, "r");
  try {
    const { size, mtimeNs, ctimeNs, ino } = fstatSync(file, { bigint: true });
    const key = [size, mtimeNs, ctimeNs, ino].join(" ");
    const cached = join(cacheFolder, `digest-${sha256(resolve(path)).slice(0, 16)}`);
    const remembered = recall(cached, key);
    if (remembered !== undefined) return remembered;
    const digest = digestOfOpenFile(file);
    remember(cached, key, digest);
    return digest;
  } finally {
    closeSync(file);
  }
}

/** SHA-256 of a folder: over the sorted lines `<SHA-256 of the file>  <its name>`. */
export function digestOfFolder(path: string, cacheFolder: string): string {
  const lines = readdirSync(path).map(
    (name) => `${digestOfFile(join(path, name), cacheFolder)}  ${name}\n`,
  );
  return sha256(lines.sort().join(""));
}

function digestOfOpenFile(file: number): string {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(chunk);
  for (let bytes = readSync(file, buffer); bytes > 0; bytes = readSync(file, buffer)) {
    hash.update(buffer.subarray(0, bytes));
  }
  return hash.digest("hex");
}

function recall(cached: string, key: string): string | undefined {
  try {
    const [knownKey, digest] = readFileSync(cached, "utf8").split("\n");
    return knownKey === key && /^[0-9a-f]{64}$/.test(digest ?? "") ? digest : undefined;
  } catch {
    return undefined;
  }
}

function remember(cached: string, key: string, digest: string): void {
  mkdirSync(resolve(cached, ".."), { recursive: true });
  const partial = `${cached}.${process.pid}`;
  writeFileSync(partial, `${key}\n${digest}\n`);
  renameSync(partial, cached);
}

/** SHA-256 of a text, in hexadecimal. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
