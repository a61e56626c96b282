// Pulumi's packages in one file; see run.js. A program finds here only what it imports by the names of the packages themselves.
"use strict";
exports.packages = {
  "@pulumi/command": () => require("@pulumi/command"),
  "@pulumi/docker": () => require("@pulumi/docker"),
  "@pulumi/pulumi": () => require("@pulumi/pulumi"),
};
exports.run = () => require("@pulumi/pulumi/cmd/run");
