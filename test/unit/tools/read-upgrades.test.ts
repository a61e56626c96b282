import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { upgradesConfigSchema } from "../../../model/stack-file/upgrades";
import { readUpgrades } from "../../../tools/read-upgrades";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stagecraft-upgrades-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const write = (...paths: readonly string[]): void => {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "SELECT 1;\n");
  }
};
const read = (settings: object) => readUpgrades(folder, upgradesConfigSchema.parse(settings));

test("scripts of packages are found at any depth", () => {
  write(
    "packages/kernel/sql/postgresql/upgrade/upgrade-5.10.0-5.10.1b2.sql",
    "packages/kernel/sql/oracle/upgrade/upgrade-5.10.0-5.10.1b2.sql",
    "packages/kernel/sql/postgresql/kernel-create.sql",
    "packages/intranet/upgrade-3.4-3.5.sql",
  );
  const { upgrades, problems } = read({ folder: "packages", gaps: "allowed", order: ["kernel"] });
  expect(problems).toEqual([]);
  expect(upgrades.rules).toEqual({ gaps: "allowed", order: ["kernel"] });
  expect(upgrades.scripts.map((script) => `${script.package} ${script.to}`)).toEqual([
    "intranet 3.5",
    "kernel 5.10.1b2",
  ]);
  expect(read({ folder: "." }).upgrades.scripts).toHaveLength(2);
});

test("no folder named, no scripts; a folder that is not there or has none is a problem", () => {
  expect(read({})).toEqual({ upgrades: { scripts: [], rules: { gaps: "refused" } }, problems: [] });
  expect(read({ folder: "nowhere" }).problems).toEqual([
    {
      path: "upgrades.folder",
      text: "there is no folder nowhere; give its path from the project folder",
    },
  ]);
  expect(read({ folder: "." }).problems).toEqual([
    {
      path: "upgrades.folder",
      text: "there is no file upgrade-<from>-<to>.sql in . or its subfolders",
    },
  ]);
});

test("a broken chain is found before any server is asked, as far as the baseline tells", () => {
  write("upgrade-1-2.sql", "upgrade-2-3.sql", "upgrade-4-5.sql");
  expect(read({ folder: "." }).problems).toEqual([]);
  expect(read({ folder: ".", baseline: "4" }).problems).toEqual([]);
  expect(read({ folder: ".", baseline: "1" }).problems).toEqual([
    {
      path: "upgrades.folder",
      text: "there is no script from 3 to 4, where upgrade-4-5.sql begins; add it, or set upgrades.gaps: allowed",
    },
  ]);
});

test("what else the section says needs a folder", () => {
  const { error } = upgradesConfigSchema.safeParse({ baseline: "1", order: [] });
  expect(error?.issues).toMatchObject([
    {
      path: ["folder"],
      message:
        "is missing; set the folder of the scripts, e.g. folder: upgrades, or remove baseline, order",
    },
  ]);
});
