// What Pulumi runs: stacks/index.ts and all it imports, bundled into one file when a source has changed.
// A program starts more than twice as fast so as with ts-node, and types are checked by `npm run check` anyway.
"use strict";
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");

const project = join(__dirname, "..");
const folder = join(project, ".stagecraft", "program");
const inputList = join(folder, "inputs.json");

Module.enableCompileCache(join(project, ".stagecraft", "cache", "node"));
// Pulumi's SDK takes a stack trace at every promise; mapping each to sources would cost half a second.
Error.prepareStackTrace = undefined;
// The SDK loads these to turn functions into code for a cloud, which nothing here does.
for (const name of ["@npmcli/arborist", "typescript"]) loadWhenUsed(name);
module.exports = require(keptBundle() ?? bundle());

/** Puts a stand-in into Node's cache of modules, which loads the module itself at its first use. */
function loadWhenUsed(name) {
  const path = pathOf(name);
  if (path === undefined || require.cache[path]) return;
  const standIn = new Module(path);
  const load = () => {
    if (require.cache[path] === standIn) delete require.cache[path];
    return require(name);
  };
  // Being asked whether it is an ES module is not yet a use.
  const get = (_, key) => (key === "__esModule" ? true : key === "default" ? load() : load()[key]);
  standIn.exports = new Proxy({}, { get });
  standIn.loaded = true;
  require.cache[path] = standIn;
}

/** Where a module is; `undefined` where it is not installed, as without the packages of development. */
function pathOf(name) {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/** The bundle of exactly these sources, where there is one. */
function keptBundle() {
  if (!existsSync(inputList)) return undefined;
  const path = bundlePath(JSON.parse(readFileSync(inputList, "utf8")));
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Written under names of its own first, so that two programs at once never see half a file. */
function bundle() {
  mkdirSync(folder, { recursive: true });
  const partial = join(folder, `${process.pid}.partial.js`);
  const metafile = join(folder, `${process.pid}.partial.json`);
  const args = ["stacks/index.ts", "--bundle", "--platform=node", "--packages=external"];
  args.push("--log-level=warning");
  args.push(`--outfile=${partial}`, `--metafile=${metafile}`);
  execFileSync(join(project, "node_modules", ".bin", "esbuild"), args, {
    cwd: project,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const inputs = Object.keys(JSON.parse(readFileSync(metafile, "utf8")).inputs);
  const path = bundlePath(inputs);
  writeFileSync(metafile, JSON.stringify(inputs));
  renameSync(partial, path);
  renameSync(metafile, inputList);
  return path;
}

/** Where the bundle of these files belongs, by their contents; `undefined` when one is gone. */
function bundlePath(inputs) {
  const hash = createHash("sha256");
  for (const input of inputs) {
    const path = join(project, input);
    if (!existsSync(path)) return undefined;
    const bytes = readFileSync(path);
    hash.update(`${input} ${bytes.length}\n`).update(bytes);
  }
  return join(folder, `${hash.digest("hex").slice(0, 16)}.js`);
}
