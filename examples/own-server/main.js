// Entry point for Pulumi; see program/main.js.
"use strict";
const { load } = require("../../program/bundles.js");
const { endWithEngine } = require("../../program/end-with-engine.js");

endWithEngine();

Error.prepareStackTrace = undefined;
module.exports = load("../examples/own-server/index.ts", "@pulumi/*");
