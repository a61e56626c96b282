import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { packageFolder } from "../../../tools/folders";
import { fileLoops, folderLoops, packagesOf, readImports, type Loop } from "./import-graph";
import { readSource, sourcePaths } from "./sources";

/** What each layer may import besides itself. ARCHITECTURE.md shows the same. */
const layers: Readonly<Record<string, readonly string[]>> = {
  model: [],
  contract: ["model"],
  agent: ["contract", "model"],
  tools: ["model"],
  engine: ["contract", "model", "tools"],
  components: ["engine", "contract", "model", "tools"],
  stacks: ["components"],
  program: ["stacks", "components", "engine", "model", "tools"],
  cli: ["engine", "contract", "model", "tools"],
  bin: ["tools"],
  examples: ["components", "program"],
};

/** The rooms of a layer from the top down: a room may import those behind it. Rooms in one row do not import each other. */
const strata: Readonly<Record<string, readonly (readonly string[])[]>> = {
  agent: [
    ["main.ts"],
    ["verbs"],
    ["call.ts", "observation"],
    ["daemon"],
    ["verify", "recovery"],
    ["restore"],
    ["backup", "offsite"],
    ["repository"],
    ["server", "prepare", "jobs"],
    ["postgres"],
    ["system"],
  ],
  model: [
    ["stack-file"],
    ["observation"],
    ["restore"],
    ["point-in-time"],
    ["backup", "import-log", "pg-hba"],
    [
      "upgrades",
      "masks",
      "roles",
      "parameters",
      "preserve",
      "defuse",
      "application",
      "connection",
      "tls",
    ],
    ["dump"],
    ["base"],
  ],
  cli: [
    ["main.ts"],
    ["program"],
    ["verbs"],
    ["text"],
    ["server"],
    ["pulumi"],
    ["project", "terminal"],
    ["base"],
  ],
  components: [
    ["index.ts"],
    ["servers"],
    ["application", "backups"],
    ["postgres", "contents"],
    ["access"],
    ["engine"],
  ],
};

/** Packages that a layer may not import, by a prefix of their names, and why. */
const barred: Readonly<Record<string, readonly string[]>> = {
  // Rules without input or output: everything else can be tested with them in milliseconds.
  model: ["node:", "pg", "@pulumi/", "execa"],
  contract: ["node:", "pg", "@pulumi/", "execa"],
  agent: ["@pulumi/", "execa", "commander"],
  engine: ["@pulumi/", "pg"],
  cli: ["@pulumi/", "pg"],
};

const root = packageFolder();
const files = sourcePaths().filter((file) => /^[^.].*\/.*\.(?:[cm]?js|ts)$/.test(file));
const graph = readImports(root, files);
const imports = [...graph].flatMap(([from, targets]) => [...targets].map((to) => ({ from, to })));
const layerOf = (file: string): string => file.split("/")[0] ?? "";
const roomOf = (file: string): string => file.split("/")[1] ?? "";
const shown = ({ members, imports }: Loop): string =>
  [members.join(" ↔ "), ...imports].join("\n  ");

describe("imports of the project", () => {
  test("go from one layer to the layers below it only", () => {
    const upwards = imports
      .filter(({ from, to }) => layerOf(from) !== layerOf(to))
      .filter(({ from, to }) => !layers[layerOf(from)]?.includes(layerOf(to)));
    expect(upwards.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test.each(Object.keys(strata))("go downwards between the rooms of %s", (layer) => {
    const rows = strata[layer] ?? [];
    const rowOf = (file: string): number => rows.findIndex((row) => row.includes(roomOf(file)));
    const inside = imports.filter(
      ({ from, to }) => layerOf(from) === layer && layerOf(to) === layer,
    );
    const wrong = inside
      .filter(({ from, to }) => roomOf(from) !== roomOf(to) && rowOf(from) >= rowOf(to))
      .map(({ from, to }) => `${from} → ${to}`);
    expect(wrong).toEqual([]);
  });

  test.each(Object.keys(strata))("know every room of %s", (layer) => {
    const rooms = new Set(files.filter((file) => layerOf(file) === layer).map(roomOf));
    expect([...rooms].sort()).toEqual((strata[layer] ?? []).flat().sort());
  });

  test("make no loop of files", () => {
    expect(fileLoops(graph).map(shown)).toEqual([]);
  });

  test("make no loop of folders, at any depth", () => {
    expect(folderLoops(graph).map(shown)).toEqual([]);
  });

  test.each(Object.keys(barred))("of packages fit the layer %s", (layer) => {
    const wrong = files
      .filter((file) => layerOf(file) === layer)
      .flatMap((file) => packagesOf(root, file).map((name) => ({ file, name })))
      .filter(({ name }) => barred[layer]?.some((prefix) => isOrBeginsWith(name, prefix)))
      .map(({ file, name }) => `${file} imports ${name}`);
    expect(wrong).toEqual([]);
  });
});

test("the model reads no clock, no environment and no randomness", () => {
  const reads = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bperformance\./;
  const model = files.filter((file) => layerOf(file) === "model");
  expect(model.length).toBeGreaterThan(100);
  expect(model.filter((file) => reads.test(readSource(file)))).toEqual([]);
});

function isOrBeginsWith(name: string, prefix: string): boolean {
  return name === prefix || (/[:/]$/.test(prefix) && name.startsWith(prefix));
}

describe("the reading of imports", () => {
  test("finds static, dynamic and type imports, and those of scripts", () => {
    const found = readTree({
      "a.ts":
        'import "./b";\nimport type { C } from "./c";\nvoid import("./d.js");\nexport * from "./e";',
      "b.ts": "",
      "c.ts": "export type C = 1;",
      "d.ts": "",
      "e/index.ts": "",
      "f.js": 'require("./b.js");',
    });
    expect([...(found.get("a.ts") ?? [])].sort()).toEqual(["b.ts", "c.ts", "d.ts", "e/index.ts"]);
    expect([...(found.get("f.js") ?? [])]).toEqual(["b.ts"]);
  });

  test("finds loops of files and of folders, also below others", () => {
    const found = readTree({
      "x/in/a.ts": 'import "../out/b";',
      "x/out/b.ts": "",
      "x/out/c.ts": 'import "../in/d";',
      "x/in/d.ts": "",
      "y/e.ts": 'import "./f";',
      "y/f.ts": 'import "./e";',
    });
    expect(fileLoops(found).map(({ members }) => members)).toEqual([["y/e.ts", "y/f.ts"]]);
    expect(folderLoops(found).map(({ members }) => members)).toEqual([["x/in", "x/out"]]);
  });
});

function readTree(tree: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "stagecraft-imports-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  for (const [file, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return readImports(folder, Object.keys(tree));
}
