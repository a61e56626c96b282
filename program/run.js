// What Pulumi's language host starts instead of the SDK's own `@pulumi/pulumi/cmd/run`, when PULUMI_LANGUAGE_NODEJS_RUN_PATH says
// so (tools/pulumi-launcher.sh and tools/pulumi-environment.ts do). It does the same from one file instead of 800, in a
// third of the start-up time.
"use strict";
const Module = require("node:module");
const { load, loadWhenUsed } = require("./bundles.js");
const { endWithEngine } = require("./end-with-engine.js");

endWithEngine();

// A language host older than the option `typescript: false` of Pulumi.yaml would load TypeScript anyway.
delete process.env["PULUMI_NODEJS_TYPESCRIPT"];
for (const name of ["@npmcli/arborist", "typescript"]) loadWhenUsed(name);

const { packages, run } = load("sdk.js", "@npmcli/arborist", "typescript");
// The program shares the SDK with what runs it.
for (const [name, get] of Object.entries(packages)) {
  const path = require.resolve(name);
  const module = new Module(path);
  module.loaded = true;
  require.cache[path] = Object.defineProperty(module, "exports", { get });
}
run();
