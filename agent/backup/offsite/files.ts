import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Manifest } from "../../../model/backup/manifest";

/** What differs between the files of a folder and a manifest, a sentence each; none when they are the same. */
export async function differences(folder: string, manifest: Manifest): Promise<string[]> {
  const wanted = new Map(manifest.files.map((file) => [file.path, file]));
  const found = await filesIn(folder);
  const more = found.filter((file) => file !== "manifest.json" && !wanted.has(file));
  const problems = more.map((file) => `${file} is not in the manifest`);
  for (const { path: name, bytes, sha256 } of manifest.files) {
    const file = path.join(folder, name);
    const size = found.includes(name) ? (await lstat(file)).size : undefined;
    if (size === undefined) problems.push(`${name} is missing`);
    else if (size !== bytes) problems.push(`${name} has ${size} bytes, not ${bytes}`);
    else if ((await hashOf(file)) !== sha256) problems.push(`${name} was changed`);
  }
  return problems;
}

/** Paths of all that is not a folder. A link counts as a file, and so is never followed. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
