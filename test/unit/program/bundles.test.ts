import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkout } from "../../support/files/checkout";

test("programs load on Node 20, which has no compile cache", () => {
  const bundles = JSON.stringify(join(checkout, "program/bundles.js"));
  const script = `delete require("node:module").enableCompileCache; require(${bundles});`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
