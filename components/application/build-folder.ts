import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

/** What is wrong with a build folder; `undefined` when it can be built. */
export function buildFolderProblem(folder: string): string | undefined {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    return `there is no folder ${folder}; give its path from the project folder`;
  }
  return existsSync(join(folder, "Dockerfile")) ? undefined : `${folder} has no Dockerfile`;
}

/** Digest of a build folder: names, modes and contents of all files. */
export function digestOfBuild(folder: string, base: string): string {
  const hash = createHash("sha256").update(`${base}\n`);
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => [join(entry.parentPath, entry.name), entry.isSymbolicLink()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [path, isLink] of paths) {
    const bytes = isLink ? Buffer.from(readlinkSync(path)) : readFileSync(path);
    const rights = isLink ? "link" : (statSync(path).mode & 0o777).toString(8);
    hash.update(`${path.slice(folder.length)} ${rights} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex").slice(0, 12);
}
