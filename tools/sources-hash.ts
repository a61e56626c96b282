import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { packageFolder } from "./folders";

/** Hash of the sources in a folder, and of the files `also` in the package folder: equal if a rebuild is unnecessary. */
export function sourcesHash(folder: string, also: readonly string[] = []): string {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of [...files, ...also.map((name) => join(packageFolder(), name))]) {
    if (!existsSync(file)) continue;
    const content = readFileSync(file);
    hash.update(`\0${relative(folder, file)}\0${String(content.length)}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}
