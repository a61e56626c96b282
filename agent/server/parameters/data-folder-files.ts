import { readdir } from "node:fs/promises";
import path from "node:path";
import { readIfRegularFile } from "../../system/regular-file";
import { dataFolder } from "./config-files";

/** Limits of what is read, because PostgreSQL's superuser can write any file there. */
const maxFileBytes = 4 * 2 ** 20;
const maxFiles = 500;
const maxDepth = 3;

/** PostgreSQL's own folders and files (PostgreSQL manual, 66.1), and its logs. */
const ofPostgres =
  /^(?:base|global|pg_(?!hba|ident).*|PG_VERSION|postmaster\..*|postgresql\.auto\.conf|current_logfiles|log|.*\.log|backup_.*|.*\.partial)$/;

/**
 * The configuration files in PostgreSQL's data folder, by path, as base64: main file, included files, certificates, rules.
 * Links are not followed. Files that PostgreSQL includes from elsewhere are missing.
 */
export async function readConfigurationFiles(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const read = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
      if (depth === 0 && ofPostgres.test(entry.name)) continue;
      const file = path.join(folder, entry.name);
      if (entry.isDirectory() && depth < maxDepth) await read(file, depth + 1);
      if (!entry.isFile() || Object.keys(files).length === maxFiles) continue;
      const contents = await readIfRegularFile(file, maxFileBytes);
      if (contents) files[file] = contents.toString("base64");
    }
  };
  await read(dataFolder, 0);
  return files;
}
