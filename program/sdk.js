// Pulumi's packages in one file; see run.js. Programs find here only what they import by package name.
"use strict";
exports.packages = {
  "@pulumi/command": () => require("@pulumi/command"),
  "@pulumi/docker": () => require("@pulumi/docker"),
  "@pulumi/pulumi": () => require("@pulumi/pulumi"),
};
exports.run = () => require("@pulumi/pulumi/cmd/run");
