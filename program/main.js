// What Pulumi runs: program/index.ts and all it imports, bundled into one file when a source has changed.
// A program starts more than twice as fast so as with ts-node, and types are checked by `npm run check` anyway.
"use strict";
const { load, loadWhenUsed } = require("./bundles.js");

// Pulumi's SDK takes a stack trace at every promise; mapping each to sources would cost half a second.
Error.prepareStackTrace = undefined;
// The SDK loads these to turn functions into code for a cloud, which nothing here does.
for (const name of ["@npmcli/arborist", "typescript"]) loadWhenUsed(name);
// The SDK is the one that runs this program: Pulumi's, or run.js's.
module.exports = load("index.ts", "@pulumi/*");
