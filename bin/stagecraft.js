#!/usr/bin/env node
"use strict";
// JavaScript that old versions of Node can run: finds a supported Node, updates the bundle and runs it.
const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { homedir } = require("node:os");
const { join, resolve } = require("node:path");

const root = resolve(__dirname, "..");

function isNodeSupported() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}

function runWithCachedNode() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const node = join(cache, "stagecraft", "node", "bin", "node");
  if (!existsSync(node)) {
    console.error(
      `stagecraft requires Node 22.13 or newer, but this is ${process.versions.node}.\n` +
        `  fix   npm start   (in ${root}; downloads it)`,
    );
    process.exit(1);
  }
  const child = spawnSync(node, [__filename, ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(child.status === null ? 1 : child.status);
}

async function run() {
  const { build } = await import("../tools/build.mjs");
  const bundle = await build();
  require("node:module").enableCompileCache(join(root, "node_modules", ".cache", "stagecraft"));
  process.setSourceMapsEnabled(true);
  await require(bundle).main(process.argv.slice(2));
}

if (isNodeSupported()) {
  run().catch((error) => {
    console.error(`stagecraft cannot start: ${error.message}`);
    process.exitCode = 1;
  });
} else {
  runWithCachedNode();
}
