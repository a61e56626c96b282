import { readdir, readlink, realpath } from "node:fs/promises";
import path from "node:path";

/** A symbolic link below a folder. */
export interface ForeignLink {
  /** Relative to the folder. */
  readonly name: string;
  readonly target: string;
}

/** The symbolic links below a folder that lead to nothing, or to something outside of `roots`. */
export async function findForeignLinks(
  folder: string,
  roots: readonly string[],
): Promise<ForeignLink[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const links = entries
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const found: ForeignLink[] = [];
  for (const link of links) {
    const real = await realpath(link).catch(() => undefined);
    if (real !== undefined && roots.some((root) => `${real}/`.startsWith(`${root}/`))) continue;
    const target = await readlink(link).catch(() => "");
    found.push({ name: path.relative(folder, link), target });
  }
  return found;
}
