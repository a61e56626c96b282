// Bundles that Pulumi's Node runs: each is rebuilt when one of its sources changes, and cached by their contents.
"use strict";
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");

const project = join(__dirname, "..");
const folder = join(project, ".stagecraft", "program");

Module.enableCompileCache?.(join(project, ".stagecraft", "cache", "node"));

/** Loads the bundle of a file, by its path from this folder, without the named packages. */
exports.load = (entry, ...external) => require(cachedBundle(entry) ?? bundle(entry, external));

/** Puts a proxy into Node's module cache that loads the module at its first use. */
exports.loadWhenUsed = (name) => {
  const path = pathOf(name);
  if (path === undefined || require.cache[path]) return;
  const standIn = new Module(path);
  const load = () => {
    if (require.cache[path] === standIn) delete require.cache[path];
    return require(name);
  };
  // Asking whether it is an ES module is no use yet.
  const get = (_, key) => (key === "__esModule" ? true : key === "default" ? load() : load()[key]);
  standIn.exports = new Proxy({}, { get });
  standIn.loaded = true;
  require.cache[path] = standIn;
};

/** Path of a module; `undefined` if it is not installed, such as a development package. */
function pathOf(name) {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/** The cached bundle of exactly these sources, if any. */
function cachedBundle(entry) {
  if (!existsSync(inputList(entry))) return undefined;
  const path = bundlePath(entry, JSON.parse(readFileSync(inputList(entry), "utf8")));
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Written under a temporary name first, so that concurrent programs never read a partial file. */
function bundle(entry, external) {
  mkdirSync(folder, { recursive: true });
  const partial = join(folder, `${nameOf(entry)}.${process.pid}.partial.js`);
  const metafile = join(folder, `${nameOf(entry)}.${process.pid}.partial.json`);
  const args = [join("program", entry), "--bundle", "--platform=node", "--loader:.sh=text"];
  args.push("--log-level=warning");
  args.push(...external.map((name) => `--external:${name}`));
  args.push(`--outfile=${partial}`, `--metafile=${metafile}`);
  execFileSync(join(project, "node_modules", ".bin", "esbuild"), args, {
    cwd: project,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const all = Object.keys(JSON.parse(readFileSync(metafile, "utf8")).inputs);
  // The lockfile stands for all packages.
  const inputs = all.filter((input) => !input.includes("node_modules/"));
  inputs.push("package-lock.json", "program/bundles.js");
  const path = bundlePath(entry, inputs);
  writeFileSync(metafile, JSON.stringify(inputs));
  renameSync(partial, path);
  renameSync(metafile, inputList(entry));
  return path;
}

function inputList(entry) {
  return join(folder, `${nameOf(entry)}.inputs.json`);
}

function nameOf(entry) {
  return join("program", entry)
    .replace(/^program./, "")
    .replaceAll("/", "-");
}

/** Path of the bundle of these files, by their contents; `undefined` when one is missing. */
function bundlePath(entry, inputs) {
  const hash = createHash("sha256");
  for (const input of inputs) {
    const path = join(project, input);
    if (!existsSync(path)) return undefined;
    const bytes = readFileSync(path);
    hash.update(`${input} ${bytes.length}\n`).update(bytes);
  }
  return join(folder, `${nameOf(entry)}.${hash.digest("hex").slice(0, 16)}.js`);
}
