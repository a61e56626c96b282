import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
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

/** The image of the PostgreSQL and agent containers of every server. */
export interface ServerImage {
  /** `stagecraft-server:<hash of its contents>` */
  readonly tag: string;
  /** The build context. */
  readonly context: string;
}

/**
 * The server image of the current sources: bundles the agent and creates the build context, unless it exists.
 *
 * The tag is the hash of the build context, so that other changes do not restart servers. To avoid bundling every time,
 * the tag is cached under the hash of all sources that the bundle may depend on.
 */
export function serverImage(projectFolder: string): ServerImage {
  const folder = join(projectFolder, ".stagecraft", "image");
  const cacheFile = join(folder, `of-${hashSources(projectFolder)}`);
  const cached = existsSync(cacheFile)
    ? imageOf(folder, readFileSync(cacheFile, "utf8").trim())
    : undefined;
  if (cached && existsSync(cached.context)) return cached;
  const hash = createContext(projectFolder, folder);
  writeAtomically(cacheFile, `${hash}\n`);
  return imageOf(folder, hash);
}

function imageOf(folder: string, hash: string): ServerImage {
  return { tag: `stagecraft-server:${hash}`, context: join(folder, hash) };
}

function hashSources(projectFolder: string): string {
  return hashFiles(projectFolder, [
    ...sourcesUnder(projectFolder, "agent"),
    ...sourcesUnder(projectFolder, "contract"),
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

/** Creates the build context under a temporary name and renames it once it is complete; returns its hash. */
function createContext(projectFolder: string, folder: string): string {
  const partial = join(folder, `${process.pid}.partial`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(projectFolder, "images"), partial, { recursive: true });
  bundleAgent(projectFolder, join(partial, "agent.js"));
  makeReadable(partial);
  // Node is represented by its version: hashing its 120 MB would take longer than everything else.
  writeFileSync(join(partial, "node-version"), `${versions.node} ${process.arch}\n`);
  const hash = hashFiles(partial, readdirSync(partial).sort());
  linkOrCopy(imageNode(), join(partial, "node"));
  const { context } = imageOf(folder, hash);
  if (existsSync(context)) rmSync(partial, { recursive: true });
  else renameSync(partial, context);
  return hash;
}

/** The image's user must be able to read and run the files, whatever the umask of this process or of the checkout was. */
function makeReadable(folder: string): void {
  for (const name of readdirSync(folder)) {
    chmodSync(join(folder, name), name.startsWith("stagecraft-") ? 0o755 : 0o644);
  }
}

/** Bundles the agent into one file with a source map. Uses esbuild's command, because loading its module takes longer. */
function bundleAgent(projectFolder: string, outfile: string): void {
  const args = [
    "agent/main.ts",
    "--bundle",
    `--outfile=${outfile}`,
    "--log-level=warning",
    "--platform=node",
    "--target=node22",
    "--format=cjs",
    "--external:pg-native",
    // Read only to report unexpected errors (agent/system/source-map.ts).
    "--sourcemap=external",
    "--sources-content=false",
    "--minify-whitespace",
    // The same bytes even if node_modules is a symbolic link.
    "--preserve-symlinks",
  ];
  execFileSync(join(projectFolder, "node_modules", ".bin", "esbuild"), args, {
    cwd: projectFolder,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/** Creates a hard link, or a copy if that is impossible. */
function linkOrCopy(file: string, name: string): void {
  try {
    linkSync(file, name);
  } catch {
    copyFileSync(file, name);
  }
}

function writeAtomically(path: string, text: string): void {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, path);
}
