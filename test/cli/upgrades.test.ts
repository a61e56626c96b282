import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkout } from "../support/files/checkout";

const program = join(checkout, "bin/stagecraft.js");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stagecraft-cli-"));
  mkdirSync(join(folder, "stacks"));
  mkdirSync(join(folder, "upgrades"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: stagecraft\nruntime: nodejs\n");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const configure = (upgrades: string): void => {
  const own = "  stagecraft:database:\n    name: timesheets\n";
  writeFileSync(
    join(folder, "Pulumi.staging.yaml"),
    `config:\n  stagecraft:namePrefix: sct-${process.pid}\n${own}${upgrades}`,
  );
};

const upgrades = () =>
  spawnSync(process.execPath, [program, "upgrades", "staging"], { cwd: folder, encoding: "utf8" });

test("without a folder of scripts it shows how to set one", () => {
  configure("");
  expect(upgrades()).toMatchObject({
    status: 2,
    stdout: "",
    stderr:
      "error: Pulumi.staging.yaml has no upgrades.folder\n  fix  pulumi config set --path upgrades.folder upgrades -s staging\n",
  });
});

test("problems of the scripts are reported at once, without asking a server", () => {
  configure("  stagecraft:upgrades:\n    folder: upgrades\n");
  writeFileSync(join(folder, "upgrades", "upgrade-2-1.sql"), "");
  writeFileSync(join(folder, "upgrades", "upgrade-1-2.sql"), "SELECT 1;\n\\i other.sql\n");
  expect(upgrades()).toMatchObject({
    status: 2,
    stderr: [
      "error: Pulumi.staging.yaml has 2 problems",
      "  upgrades.folder   upgrade-1-2.sql: line 2: \\i is a psql command, but psql does not run upgrade scripts; write it in SQL",
      "  upgrades.folder   upgrade-2-1.sql: 2 is not lower than 1",
      "",
    ].join("\n"),
  });
});

test("a server that is not running is reported, with the command that starts it", () => {
  configure("  stagecraft:upgrades:\n    folder: upgrades\n");
  writeFileSync(join(folder, "upgrades", "upgrade-1-2.sql"), "SELECT 1;\n");
  expect(upgrades()).toMatchObject({
    status: 1,
    stderr: "error: the agent of staging is not running\n  fix  npm start -- staging\n",
  });
});
