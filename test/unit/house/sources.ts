import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "../../..");

/** Folders that hold nothing written by us, or only tests. */
const skipped = new Set(["node_modules", "dist", "test"]);

const isText = (path: string): boolean =>
  /\.(?:ts|mts|js|mjs|md|sh|ya?ml)$|^images\/|^\.ci\//.test(path);

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return isText(path) ? [path] : [];
    const isHidden = entry.name.startsWith(".") && ![".github", ".ci"].includes(entry.name);
    return entry.isDirectory() && !isHidden && !skipped.has(entry.name) ? walk(path) : [];
  });
}

/** Paths, from the project folder, of all code, scripts, configuration and pages that are not tests. */
export const sourcePaths = (): string[] => walk("").sort();

/** The text of a file, given by its path from the project folder. */
export const readSource = (path: string): string => readFileSync(join(root, path), "utf8");
