import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { imageNode } from "./image-node";
import { versions } from "./versions";

/** The image that PostgreSQL and the agent of every server run from. */
export interface ServerImage {
  /** `stagecraft-server:<hash of its contents>` */
  readonly tag: string;
  /** The folder it is built from. */
  readonly context: string;
}

/**
 * The server image of these sources: bundles the agent and gathers the build context where that has not been done.
 *
 * The tag is the hash of what goes into the image, so a change elsewhere never restarts a server. To know it without
 * bundling every time, it is kept under the hash of everything the bundle may depend on.
 */
export function serverImage(projectFolder: string): ServerImage {
  const folder = join(projectFolder, ".stagecraft", "image");
  const known = join(folder, `of-${hashSources(projectFolder)}`);
  const kept = existsSync(known) ? imageOf(folder, readFileSync(known, "utf8").trim()) : undefined;
  if (kept && existsSync(kept.context)) return kept;
  const hash = makeContext(projectFolder, folder);
  writeWhole(known, `${hash}\n`);
  return imageOf(folder, hash);
}

function imageOf(folder: string, hash: string): ServerImage {
  return { tag: `stagecraft-server:${hash}`, context: join(folder, hash) };
}

function hashSources(projectFolder: string): string {
  return hashFiles(projectFolder, [
    ...sourcesUnder(projectFolder, "agent"),
    ...sourcesUnder(projectFolder, "model"),
    ...sourcesUnder(projectFolder, "images"),
    "package-lock.json",
    "tools/server-image.ts",
    "tools/versions.ts",
  ]);
}

function sourcesUnder(projectFolder: string, folder: string): string[] {
  return readdirSync(join(projectFolder, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(projectFolder.length + 1))
    .sort();
}

function hashFiles(folder: string, names: readonly string[]): string {
  const hash = createHash("sha256");
  for (const name of names) {
    const bytes = readFileSync(join(folder, name));
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex").slice(0, 12);
}

/** Gathers the build context under a name of its own and gives it its place when it is whole; its hash. */
function makeContext(projectFolder: string, folder: string): string {
  const partial = join(folder, `${process.pid}.partial`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(projectFolder, "images"), partial, { recursive: true });
  bundleAgent(projectFolder, join(partial, "agent.js"));
  // By its version: hashing its 120 MB would take longer than all the rest.
  writeFileSync(join(partial, "node-version"), `${versions.node} ${process.arch}\n`);
  const hash = hashFiles(partial, readdirSync(partial).sort());
  place(imageNode(), join(partial, "node"));
  const { context } = imageOf(folder, hash);
  if (existsSync(context)) rmSync(partial, { recursive: true });
  else renameSync(partial, context);
  return hash;
}

/** One file, and its source map beside it. By esbuild's command, because its module takes longer to load than all the rest. */
function bundleAgent(projectFolder: string, outfile: string): void {
  const args = [
    ...["agent/main.ts", "--bundle", `--outfile=${outfile}`, "--log-level=warning"],
    ...["--platform=node", "--target=node22", "--format=cjs", "--external:pg-native"],
    // Read only when something unexpected is told of (agent/system/stack.ts).
    ...["--sourcemap=external", "--sources-content=false", "--minify-whitespace"],
    // The same bytes wherever node_modules really is.
    "--preserve-symlinks",
  ];
  execFileSync(join(projectFolder, "node_modules", ".bin", "esbuild"), args, {
    cwd: projectFolder,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/** The same file under another name where that can be, else a copy. */
function place(file: string, name: string): void {
  try {
    linkSync(file, name);
  } catch {
    copyFileSync(file, name);
  }
}

function writeWhole(path: string, text: string): void {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, path);
}
