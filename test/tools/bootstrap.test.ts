import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { toolsFolder } from "../../tools/folders";
import { scratchFolder } from "../support/files/scratch-folder";
import { atMost, second } from "../support/time/limit.mjs";

/** A project without packages whose test script prints the version of Node and its arguments. */
async function prepare() {
  const folder = await scratchFolder();
  const write = (name: string, text: string, mode = 0o644) =>
    writeFile(join(folder, name), text, { mode });
  for (const name of ["tools", "bin"]) await mkdir(join(folder, name));
  await copyFile(toolsFolder("bootstrap.sh"), join(folder, "tools/bootstrap.sh"));
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
    await write("bin/node", "#!/bin/sh\necho v20.20.2\n", 0o755);
    const fetched = "#!/bin/sh\nif [ $# = 1 ]; then echo v22.23.3; else echo fetched runs; fi";
    await write("fetched", fetched, 0o755);
    await write(
      "bin/npm",
      `#!/bin/bash
echo "$*" >> npm.log
if [[ $1 == ci ]]; then mkdir -p node_modules; exit; fi
package=\${!#}
mkdir -p "$3/node_modules/\${package%@*}/bin" && cp fetched "$3/node_modules/\${package%@*}/bin/node"
`,
      0o755,
    );
    const path = `${join(folder, "bin")}:/usr/bin:/bin`;
    const first = await run(path, "test", "--", "x");
    expect(first.stderr).toBe("");
    expect(first.lines).toEqual([
      expect.stringMatching(/^ ✔ Node 22 {25}from npm, \d+ s$/),
      expect.stringMatching(/^ ✔ npm packages/),
      "fetched runs",
    ]);
    expect((await run(path, "test", "--", "x")).lines).toEqual(["fetched runs"]);
    const [install = "", ...others] = (await readFile(join(folder, "npm.log"), "utf8")).split("\n");
    expect(install).toMatch(/^install --prefix \S+ .*node-linux-(x64|arm64)@22\.\d+\.\d+$/);
    expect(others).toEqual(["ci --no-fund --no-audit", ""]);
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
