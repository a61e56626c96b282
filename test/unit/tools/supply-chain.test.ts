import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { findChecksum, requireChecksum } from "../../../tools/checksums";
import { packageFolder, toolsFolder } from "../../../tools/folders";
import { versions } from "../../../tools/versions";
import { scratchFolder } from "../../support/files/scratch-folder";

const read = (path: string): string => readFileSync(join(packageFolder(), path), "utf8");

/** The programs of tools/, without its data. */
const programs = readdirSync(toolsFolder(""), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /^[^.]+$|\.(?:[cm]?[jt]s|sh)$/.test(entry.name))
  .map((entry) => relative(packageFolder(), join(entry.parentPath, entry.name)));

/** Files of tools/ in which a pattern occurs outside of comments. */
function filesWith(pattern: RegExp): string[] {
  const code = (path: string): string => read(path).replace(/^\s*(?:\/\/|#|\/?\*).*$/gm, "");
  return programs.filter((path) => pattern.test(code(path))).sort();
}

describe("checksums.txt", () => {
  test.each(["x64", "arm64"])("has Node and Pulumi's CLI for %s", (arch) => {
    for (const name of [
      `node-linux-${arch}-${versions.node}.tgz`,
      `pulumi-v${versions.pulumi}-linux-${arch}.tar.gz`,
    ])
      expect(findChecksum(name)).toMatch(/^[0-9a-f]{64}$/);
  });

  test("has the base image", () => {
    expect(findChecksum(versions.officialBaseImage)).toMatch(/^[0-9a-f]{64}$/);
  });

  test("refuses what it does not have", () => {
    expect(() => requireChecksum("node-linux-s390x-22.23.3.tgz")).toThrow(
      "node-linux-s390x-22.23.3.tgz is not downloaded, because tools/checksums.txt has no checksum for it\n  fix   add its SHA-256",
    );
  });

  test.each([
    ["a checksum that is too short", `${"a".repeat(63)}  x\n`],
    ["capitals", `${"A".repeat(64)}  x\n`],
    ["one space", `# x\n${"a".repeat(64)} x\n`],
    ["a name twice", `${"a".repeat(64)}  x\n${"b".repeat(64)}  x\n`],
  ])("is refused with %s", async (_, text) => {
    const file = join(await scratchFolder(), "checksums.txt");
    writeFileSync(file, text);
    expect(() => findChecksum("x", file)).toThrow(
      `${file}, line ${String(text.trimEnd().split("\n").length)}: not a checksum, two spaces and a new name`,
    );
  });
});

describe("lockfiles", () => {
  test("have a checksum of every npm package", () => {
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { integrity?: string }>;
    };
    const unpinned = Object.entries(packages).filter(
      ([name, { integrity = "" }]) => name !== "" && !/^sha512-/.test(integrity),
    );
    expect(unpinned).toEqual([]);
  });

  test("are installed without running the packages' own scripts, one of which downloads a plugin", () => {
    expect(read(".npmrc")).toContain("ignore-scripts=true\n");
  });

  const goModules = [
    ...["docker-plugin", "language-nodejs", "pulumi-cli"].map((name) => `tools/toolchain/${name}`),
    "test/support/offsite/s3-server",
  ];
  test.each(goModules)("%s/go.sum has a checksum of every module in go.mod", (folder) => {
    const sums = new Set(
      read(`${folder}/go.sum`)
        .split("\n")
        .map((line) => line.replace(/ h1:\S{43}=$/, "")),
    );
    const text = read(`${folder}/go.mod`);
    const replaced = new Map<string, string>();
    for (const [, from = "", to = ""] of text.matchAll(
      /^(?:replace|\t)\s*(\S+)(?: v\S+)? => (\S+(?: v\S+)?)$/gm,
    ))
      replaced.set(from, to);
    const required = [...text.matchAll(/^(?:require |\t)(\S+) (v\S+)(?: \/\/ indirect)?$/gm)]
      .map(([, name = "", version = ""]) => replaced.get(name) ?? `${name} ${version}`)
      // A folder of ours, whose own modules are required as well.
      .filter((module) => !module.startsWith("."));
    expect(required.length).toBeGreaterThan(1);
    expect(required.filter((module) => !sums.has(`${module}/go.mod`))).toEqual([]);
  });
});

describe("tools/", () => {
  test("is all read here", () => {
    expect(programs).toContain("tools/bootstrap.sh");
    expect(programs).toContain("tools/toolchain/command-plugin/pulumi-resource-command");
    expect(programs.length).toBeGreaterThan(40);
  });

  test("downloads in two places only, which compare checksums", () => {
    expect(filesWith(/\bfetch\(|\bcurl\b|\bwget\b/)).toEqual(["tools/download.ts"]);
    expect(filesWith(/\bnpm (?:pack|install|exec)\b|"npm"|\bnpx\b/)).toEqual([
      "tools/fetch-node.sh",
    ]);
    expect(filesWith(/"pull"/)).toEqual(["tools/pull-image.ts"]);
    expect(read("tools/download.ts").match(/fetch\(|download\(/g)).toEqual([
      "fetch(", // Only whether a server responds.
      "download(",
      "download(",
      "fetch(",
    ]);
  });

  test("writes nothing in a folder that others share, where they could plant files and links", () => {
    expect(filesWith(/\btmpdir\b|["'`\s=]\/(?:var\/)?tmp\b|TMPDIR/)).toEqual([]);
  });

  test("never turns a check of signatures or checksums off", () => {
    const flags =
      /no-check-gpg|allow-unauthenticated|AllowInsecure|trusted=yes|GOFLAGS.*-insecure|GONOSUM|GOINSECURE|GOSUMDB|strict-ssl|REJECT_UNAUTHORIZED/;
    expect(filesWith(flags)).toEqual([]);
    expect(read("images/Dockerfile")).not.toMatch(flags);
  });
});
