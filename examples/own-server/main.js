// What Pulumi runs; see stacks/main.js.
"use strict";
const { load } = require("../../stacks/bundles.js");

Error.prepareStackTrace = undefined;
module.exports = load("../examples/own-server/index.ts", "@pulumi/*");
