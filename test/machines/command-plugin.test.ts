import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestStack, type Update } from "../support/stacks/test-stack";
import { until } from "../support/time/until";

/** Shell that goes on when a line has been shown, and fails when it is not shown meanwhile. */
const untilShown = (line: string): string => `until [ -e ${line}.shown ]; do sleep 0.1; done`;

/** One program with several commands, of which the second version changes some inputs. */
const program = (version: 1 | 2): string => `
const local = command.local;
const secret = new local.Command("secret", {
  create: 'tr a-z A-Z; printf " for %s" "$WHO"',
  stdin: pulumi.secret("passwort-of-ada"),
  environment: { WHO: "ada" },
  logging: "none",
});
const long = new local.Command("long", { create: "head -c 1048576 /dev/zero | tr '\\\\0' x" });
const slow = new local.Command("slow", {
  create: "echo first; ${untilShown("first")} || exit; echo second >&2; ${untilShown("second")}",
});
const inPlace = new local.Command("in-place", {
  create: "echo made",
  update: 'echo "made anew, was: $PULUMI_COMMAND_STDOUT"',
  environment: { DIGEST: "${version}" },
});
const onlyCreate = new local.Command("only-create", {
  create: 'echo "digest $DIGEST, before: \${PULUMI_COMMAND_STDOUT-nothing}"',
  addPreviousOutputInEnv: false,
  environment: { DIGEST: "${version}" },
});
const replaced = new local.Command("replaced", {
  create: "echo created ${version} >> replaced.log",
  delete: "echo deleted ${version} >> replaced.log",
  triggers: ["${version}"],
});
const elsewhere = new local.Command("elsewhere", {
  create: "pwd; echo x > made.txt",
  interpreter: ["/bin/bash", "-euc"],
  dir: __dirname + "/state",
  assetPaths: ["made.*"],
});
module.exports = {
  secret: secret.stdout,
  length: long.stdout.apply((text) => text.length),
  inPlace: inPlace.stdout,
  onlyCreate: onlyCreate.stdout,
  elsewhere: elsewhere.stdout,
  assets: elsewhere.assets.apply((assets) => Object.keys(assets).join()),
  run: local.runOutput({ command: "cat; exit 0", stdin: "run" }).stdout,
};
`;

describe("commands", () => {
  let stack: TestStack;
  let first: Update;
  let second: Update;
  let outputs: Record<string, string>;
  let changed: Record<string, string>;

  beforeAll(async () => {
    stack = await TestStack.create(program(1));
    stack.onLine = (line) => {
      if (line === "first" || line === "second")
        writeFileSync(join(stack.folder, `${line}.shown`), "");
    };
    first = await stack.up();
    outputs = await stack.outputs();
    await stack.write(program(2));
    second = await stack.up();
    changed = await stack.outputs();
  });
  afterAll(() => stack.remove());

  test("are run when they are created", () => {
    expect(first.errors).toBe("");
    expect(first.exitCode).toBe(0);
    expect(outputs).toMatchObject({
      secret: "PASSWORT-OF-ADA for ada",
      inPlace: "made",
      onlyCreate: "digest 1, before: nothing",
      elsewhere: join(stack.folder, "state"),
      assets: "made.txt",
      run: "run",
    });
  });

  test("may print a line of a megabyte", () => {
    expect(outputs["length"]).toBe(1048576);
  });

  test("leave no secret in the state, nor what was made of it", async () => {
    const all = await stack.state();
    expect(all).toContain("in-place");
    expect(all).not.toMatch(/passwort-of-ada/i);
  });

  test("show their lines while they run, of both streams, and none with logging off", () => {
    // Each of them was waited for by the command that said it.
    expect(first.lines).toEqual(expect.arrayContaining(["first", "second"]));
    expect(first.exitCode).toBe(0);
    expect(first.lines.join()).not.toContain("PASSWORT");
    const long = first.lines.find((line) => line.startsWith("xxx"));
    expect(long).toMatch(/^x{8192}… \(1040384 more characters\)$/);
  });

  test("run their update in place when an input changes, or else their create", () => {
    expect(second.operations["in-place"]).toEqual(["update"]);
    expect(second.operations["only-create"]).toEqual(["update"]);
    expect(changed).toMatchObject({
      inPlace: "made anew, was: made",
      onlyCreate: "digest 2, before: nothing",
    });
  });

  test("are replaced when a trigger changes, the new one before the old", async () => {
    expect(second.operations["replaced"]).toEqual([
      "create-replacement",
      "replace",
      "delete-replaced",
    ]);
    expect(await readFile(join(stack.folder, "replaced.log"), "utf8")).toBe(
      "created 1\ncreated 2\ndeleted 1\n",
    );
  });

  test("are left alone when nothing changes", async () => {
    expect(Object.keys(second.operations).sort()).toEqual(["in-place", "only-create", "replaced"]);
    const third = await stack.up("--expect-no-changes");
    expect([third.exitCode, third.operations]).toEqual([0, {}]);
  });

  test("fail the update with their exit status and all they printed", async () => {
    await stack.write(
      `new command.local.Command("broken", { create: "echo so far; echo no space left >&2; exit 3" });`,
    );
    const failed = await stack.up();
    expect(failed.exitCode).not.toBe(0);
    expect(failed.errors).toContain(
      'exit status 3: running "echo so far; echo no space left >&2; exit 3":\nso far\nno space left',
    );
  });

  test("that copy files are refused in plain words", async () => {
    await stack.write(`
      new command.remote.CopyToRemote("far", {
        connection: { host: "h" }, source: new pulumi.asset.FileAsset("index.js"), remotePath: "/tmp/x",
      });
    `);
    const { errors } = await stack.up();
    expect(errors).toContain("command:remote:CopyToRemote is not part of this build");
  });

  test("end with all they have started when the update is interrupted", async () => {
    await stack.write(
      `new command.local.Command("endless", { create: "sleep 7200 & echo $! > pid; wait" });`,
    );
    const update = stack.start("up", "--yes", "--skip-preview");
    const pid = join(stack.folder, "pid");
    const child = await until("the command's process", async () =>
      (await readFile(pid, "utf8").catch(() => "")).trim(),
    );
    expect(await isRunning(child)).toBe(true);
    update.kill("SIGINT");
    const { exitCode } = await update;
    expect(exitCode).not.toBe(0);
    expect(await isRunning(child)).toBe(false);
  });
});

/** A process that has ended may still be listed, as a zombie. */
async function isRunning(pid: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State:\tX");
  return !/^State:\t[XZ]/m.test(status);
}
