import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { toolsFolder } from "../../tools/folders";
import { versions } from "../../tools/versions";
import { scratchFolder } from "../support/files/scratch-folder";
import { atMost, second } from "../support/time/limit.mjs";

/** A project without packages whose test script prints the version of Node and its arguments. */
async function prepare() {
  const folder = await scratchFolder();
  const write = (name: string, text: string, mode = 0o644) =>
    writeFile(join(folder, name), text, { mode });
  for (const name of ["tools", "bin"]) await mkdir(join(folder, name));
  for (const name of ["bootstrap.sh", "fetch-node.sh"])
    await copyFile(toolsFolder(name), join(folder, "tools", name));
  await write("tools/test.mjs", "console.log(process.version, ...process.argv.slice(2));");
  await write("package.json", '{ "name": "try" }');
  await write("package-lock.json", '{ "name": "try", "lockfileVersion": 3, "packages": {} }');
  const run = async (path: string, ...args: string[]) => {
    const { stdout, exitCode, stderr } = await execa("bash", ["tools/bootstrap.sh", ...args], {
      cwd: folder,
      env: { XDG_CACHE_HOME: join(folder, "cache"), PATH: path },
      reject: false,
    });
    return { lines: stdout.split("\n"), exitCode, stderr };
  };
  return { folder, write, run };
}

const arch = process.arch === "arm64" ? "arm64" : "x64";
const nodeArchive = `node-linux-${arch}-${versions.node}.tgz`;

/** A PATH with a Node that is too old, and an npm that packs what {@link nodePackage} made. */
async function oldNode(folder: string): Promise<string> {
  const write = (name: string, text: string) =>
    writeFile(join(folder, "bin", name), text, { mode: 0o755 });
  await write("node", "#!/bin/sh\necho v20.20.2\n");
  const pack = `cp ${join(folder, nodeArchive)} .`;
  const log = join(folder, "npm.log");
  await write(
    "npm",
    `#!/bin/bash\necho "$*" >> ${log}\nif [[ $1 == ci ]]; then mkdir -p node_modules; else ${pack}; fi\n`,
  );
  return `${join(folder, "bin")}:/usr/bin:/bin`;
}

/** Makes a package with a script in place of Node; its SHA-256. */
async function nodePackage(folder: string): Promise<string> {
  const script = `#!/bin/sh\nif [ $# = 1 ]; then echo v${versions.node}; else echo fetched runs; fi`;
  await mkdir(join(folder, "package", "bin"), { recursive: true });
  await writeFile(join(folder, "package", "bin", "node"), script, { mode: 0o755 });
  const archive = join(folder, nodeArchive);
  await execa("tar", ["-czf", archive, "-C", folder, "package"]);
  return createHash("sha256")
    .update(await readFile(archive))
    .digest("hex");
}

const newNode = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);

describe("npm's scripts", () => {
  test("install the packages when the lockfile has changed, and say nothing otherwise", async () => {
    const { folder, write, run } = await prepare();
    const works = `${process.version} -- a b`;
    const first = await run(newNode, "test", "--", "a b");
    expect(first.lines).toEqual([
      expect.stringMatching(/^ ✔ npm packages {20}npm ci, \d+ s$/),
      works,
    ]);
    const began = performance.now();
    expect((await run(newNode, "test", "--", "a b")).lines).toEqual([works]);
    const took = performance.now() - began;
    expect(took).toBeLessThan(atMost(1 * second));

    const lock = await readFile(join(folder, "package-lock.json"), "utf8");
    await write("package-lock.json", `${lock}\n`);
    expect((await run(newNode, "test", "--", "a b")).lines).toHaveLength(2);
  });

  test("started twice at once install the packages once, and both do their work", async () => {
    const { folder, write, run } = await prepare();
    await write(
      "bin/npm",
      '#!/bin/bash\nmkdir node_modules && sleep 1 && echo "$*" >> npm.log\n',
      0o755,
    );
    const path = [join(folder, "bin"), newNode].join(delimiter);
    const both = await Promise.all([run(path, "test", "--", "a"), run(path, "test", "--", "b")]);
    expect(both.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
      [0, ""],
      [0, ""],
    ]);
    expect(both.map(({ lines }) => lines.at(-1)).sort()).toEqual([
      `${process.version} -- a`,
      `${process.version} -- b`,
    ]);
    expect(await readFile(join(folder, "npm.log"), "utf8")).toBe("ci --no-fund --no-audit\n");
  });

  test("fetch a newer Node from npm, once, where the system's is too old", async () => {
    const { folder, write, run } = await prepare();
    const path = await oldNode(folder);
    await write("tools/checksums.txt", `# Node\n${await nodePackage(folder)}  ${nodeArchive}\n`);
    const first = await run(path, "test", "--", "x");
    expect(first.stderr).toBe("");
    expect(first.lines).toEqual([
      expect.stringMatching(/^ ✔ Node 22 {25}from npm, \d+ s$/),
      expect.stringMatching(/^ ✔ npm packages/),
      "fetched runs",
    ]);
    expect((await run(path, "test", "--", "x")).lines).toEqual(["fetched runs"]);
    const [pack = "", ...others] = (await readFile(join(folder, "npm.log"), "utf8")).split("\n");
    expect(pack).toBe(`pack --silent --ignore-scripts node-linux-${arch}@${versions.node}`);
    expect(others).toEqual(["ci --no-fund --no-audit", ""]);
    expect(await readdir(join(folder, "cache", "stagecraft"))).toEqual([
      "bootstrap.lock",
      "node",
      `node-${versions.node}`,
    ]);
  });

  test("refuse a Node that is not the one of the checksum, in one sentence, and leave nothing of it", async () => {
    const { folder, write, run } = await prepare();
    const path = await oldNode(folder);
    const got = await nodePackage(folder);
    const expected = "0".repeat(64);
    await write("tools/checksums.txt", `${expected}  ${nodeArchive}\n`);
    const { exitCode, stderr } = await run(path, "test");
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(
      new RegExp(
        `^ ✘ Node 22 +\n${nodeArchive} has the SHA-256 ${got}, but tools/checksums\\.txt expects ${expected}\n  fix   nothing was installed`,
      ),
    );
    expect(await readdir(join(folder, "cache", "stagecraft"))).toEqual(["bootstrap.lock"]);
  });

  test("download no Node without a checksum", async () => {
    const { folder, write, run } = await prepare();
    const path = await oldNode(folder);
    await nodePackage(folder);
    await write("tools/checksums.txt", "");
    const { exitCode, stderr } = await run(path, "test");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(
      `${nodeArchive} is not downloaded, because tools/checksums.txt has no checksum for it\n`,
    );
    await expect(readFile(join(folder, "npm.log"))).rejects.toThrow("ENOENT");
  });

  test("run nothing from a cache that everybody can write to", async () => {
    const { folder, run } = await prepare();
    const cache = join(folder, "cache", "stagecraft");
    expect((await run(newNode, "test")).exitCode).toBe(0);
    expect((await stat(cache)).mode & 0o777).toBe(0o700);
    await chmod(cache, 0o777);
    const { exitCode, stderr } = await run(newNode, "test");
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `${cache} can be changed by other users, who could replace the programs in it\n` +
        `  fix   remove it, or make it yours: chown "$USER" ${cache} && chmod 700 ${cache}`,
    );
  });

  test("show what npm says when it fails", async () => {
    const { write, run } = await prepare();
    await write("package-lock.json", "{");
    const { exitCode, stderr } = await run(newNode, "test");
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/^ ✘ npm packages\s+[^]*npm/);
  });

  test("are these and no others", async () => {
    const { run } = await prepare();
    const { exitCode, stderr } = await run(newNode, "deploy");
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      'tools/bootstrap.sh: unknown script "deploy"; available: start, test, check, bench',
    );
  });
});
