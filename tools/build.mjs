// Bundles the operator's CLI into dist/stagecraft.js and makes `npx stagecraft` find it.
// Does nothing, without loading esbuild, when the bundle is newer than everything it was made of.
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

/** Brings the bundle up to date; its path. */
export async function build() {
  if (!isUpToDate()) await bundleCli();
  linkCommand();
  return bundle;
}

function isUpToDate() {
  const made = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined || !existsSync(inputList)) return false;
  const inputs = JSON.parse(readFileSync(inputList, "utf8"));
  return inputs.every((input) => {
    const changed = statSync(join(root, input), { throwIfNoEntry: false })?.mtimeMs;
    return changed !== undefined && changed <= made;
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
    // Its own binary comes with it; only a build of the server image needs it.
    external: ["esbuild"],
    // Packages that are ES modules ask for import.meta.url.
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
  // A source saved while the bundle was being made must count as newer.
  utimesSync(bundle, started, started);
}

/** Two builds at once must not show each other half a file. */
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
