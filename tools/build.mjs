// Bundles the CLI into dist/stagecraft.js and links it so that `npx stagecraft` finds it.
// If the bundle is newer than its sources, does nothing and does not load esbuild.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const bundle = join(root, "dist", "stagecraft.js");
const inputList = join(root, "dist", "stagecraft.inputs.json");

/** Updates the bundle if necessary; returns its path. */
export async function build() {
  if (!isUpToDate()) await bundleCli();
  linkCommand();
  return bundle;
}

function isUpToDate() {
  const builtAt = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs;
  if (builtAt === undefined || !existsSync(inputList)) return false;
  const inputs = JSON.parse(readFileSync(inputList, "utf8"));
  return inputs.every((input) => {
    const changedAt = statSync(join(root, input), { throwIfNoEntry: false })?.mtimeMs;
    return changedAt !== undefined && changedAt <= builtAt;
  });
}

async function bundleCli() {
  const esbuild = await import("esbuild");
  const started = new Date();
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["cli/main.ts"],
    outfile: bundle,
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    sourcemap: true,
    sourcesContent: false,
    loader: { ".sh": "text" },
    // esbuild needs its own binary; only a build of the server image uses it.
    external: ["esbuild"],
    // ES module packages use import.meta.url.
    define: { "import.meta.url": "__bundleUrl" },
    banner: { js: 'const __bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  mkdirSync(dirname(bundle), { recursive: true });
  const sources = Object.keys(result.metafile.inputs).filter(
    (input) => !input.includes("node_modules/"),
  );
  write(inputList, JSON.stringify([...sources, "package-lock.json", "tools/build.mjs"]));
  for (const file of result.outputFiles.sort((a, b) => b.path.length - a.path.length)) {
    write(file.path, file.contents);
  }
  // A source saved during the build must count as newer.
  utimesSync(bundle, started, started);
}

/** Writes atomically, because builds may run concurrently. */
function write(path, contents) {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, contents);
  renameSync(partial, path);
}

function linkCommand() {
  const link = join(root, "node_modules", ".bin", "stagecraft");
  if (lstatSync(link, { throwIfNoEntry: false }) || !existsSync(dirname(link))) return;
  try {
    symlinkSync(join("..", "..", "bin", "stagecraft.js"), link);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
