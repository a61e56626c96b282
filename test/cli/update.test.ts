import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  readdirSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pulumiEnvironment } from "../../tools";
import { checkout } from "../support/files/checkout";
import { until } from "../support/time/until";

// The real Pulumi with a program of one component: what `up` and `password` make of its events, errors and locks.
// The real servers are for the end-to-end tests.

const program = `
const pulumi = require("@pulumi/pulumi");
const command = require("@pulumi/command");
const fs = require("node:fs");
class Database extends pulumi.ComponentResource {
  constructor(name, backup) {
    super("stagecraft:index:Database", name, { backup });
    this.registerOutputs({});
  }
}
const options = JSON.parse(fs.readFileSync(__dirname + "/options.json", "utf8"));
new Database("timesheets", options.backup);
for (const text of options.warnings ?? []) pulumi.log.warn(text);
if (options.runError) throw new pulumi.RunError(options.runError);
if (options.error) throw new Error(options.error);
if (options.wait) setTimeout(() => {}, 7_200_000);
let before = [];
for (const [index, create] of (options.commands ?? []).entries())
  before = [new command.local.Command("step-" + index, { create }, { dependsOn: before })];
`;

const template = mkdtempSync(join(tmpdir(), "stagecraft-update-"));
let folder = template;

beforeAll(() => {
  mkdirSync(join(folder, "stacks"));
  mkdirSync(join(folder, "state"));
  writeFileSync(join(folder, "package.json"), '{ "name": "stub", "main": "index.js" }');
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: stagecraft\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
  );
  writeFileSync(join(folder, "index.js"), program);
  writeFileSync(
    join(folder, "Pulumi.dev.yaml"),
    `config:\n  stagecraft:namePrefix: sct-${process.pid}\n  stagecraft:database:\n    name: timesheets\n  stagecraft:people:\n    ada: DbAdmin\n    carl: CI\n`,
  );
  configure({ backup: "20261114T032900Z" });
  pulumi(["stack", "init", "dev", "--secrets-provider", "passphrase"]);
  for (const role of ["application", "readonly"]) {
    const key = `stagecraft:passwords.${role}`;
    pulumi(["config", "set", "--secret", "--path", key, "-s", "dev"], `geheim of ${role}`);
  }
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stagecraft-update-"));
  cpSync(template, folder, { recursive: true });
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

afterAll(() => {
  rmSync(template, { recursive: true, force: true });
});

function environment(): NodeJS.ProcessEnv {
  return {
    ...pulumiEnvironment(folder),
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_CONFIG_PASSPHRASE: "correct",
  };
}

function configure(options: Record<string, unknown>): void {
  writeFileSync(join(folder, "options.json"), JSON.stringify(options));
}

function pulumi(args: readonly string[], input = ""): void {
  const { status, stderr } = spawnSync("pulumi", [...args, "--non-interactive"], {
    cwd: folder,
    env: environment(),
    encoding: "utf8",
    input,
  });
  if (status !== 0) throw new Error(stderr);
}

const command = [join(checkout, "bin/stagecraft.js")];

function stagecraft(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [...command, ...args], {
    cwd: folder,
    env: { ...environment(), ...env },
    encoding: "utf8",
  });
}

/** On a slow machine, lines about what goes on come before it. */
function lastLine(stdout: string): string | undefined {
  return stdout.trimEnd().split("\n").at(-1);
}

describe("up", () => {
  it("shows what it created, and the second time that there is nothing to do", () => {
    const first = stagecraft(["up", "dev"]);
    expect(first.stderr).toBe("");
    expect(lastLine(first.stdout)).toMatch(/^ ✔ pulumi up -s dev {16}2 created, [\d.]+ s$/);
    expect(first.status).toBe(0);
    const second = stagecraft(["up", "dev"]);
    expect(lastLine(second.stdout)).toMatch(
      /^ ✔ pulumi up -s dev {16}nothing to do(?:, [\d.]+ s)?$/,
    );
    configure({ backup: "20261121T032900Z" });
    expect(stagecraft(["up", "dev"]).stdout).toContain("1 updated");
  });

  it("shows each warning of the program once, also when the update fails", () => {
    const warnings = ["a role has no password\nset one", "a role has no password\nset one", "b"];
    const shown = "     warning: a role has no password\n       set one\n     warning: b\n";
    configure({ backup: "x", warnings });
    const { status, stdout } = stagecraft(["up", "dev"]);
    expect(stdout).toMatch(/^ ✔ pulumi up -s dev .*$/m);
    expect(stdout.endsWith(shown), stdout).toBe(true);
    expect(status).toBe(0);
    configure({ backup: "y", warnings, commands: ["exit 1"] });
    const failed = stagecraft(["up", "dev"]);
    expect(failed.stdout.endsWith(shown), failed.stdout).toBe(true);
    expect(failed.status).not.toBe(0);
  });

  it("prints every problem of the program once, and no text of Pulumi", () => {
    configure({
      backup: "x",
      runError: "Pulumi.dev.yaml has 2 problems\n  postgres.prot  unknown",
    });
    const { status, stdout, stderr } = stagecraft(["up", "dev"]);
    expect(lastLine(stdout)).toBe(" ✘ pulumi up -s dev");
    expect(stderr).toBe("error: Pulumi.dev.yaml has 2 problems\n  postgres.prot  unknown\n");
    expect(status).toBe(2);
  });

  it("shows no stack trace of a program that breaks", () => {
    configure({ backup: "x", error: "boo" });
    expect(stagecraft(["up", "dev"])).toMatchObject({ stderr: "error: boo\n", status: 1 });
  });

  it("exits with 3 when it failed after a change, and with 1 when it changed nothing", () => {
    const failing = "echo the import failed >&2; exit 1";
    configure({ backup: "x", commands: ["true", failing] });
    const changed = stagecraft(["up", "dev"]);
    expect(changed).toMatchObject({ stderr: "error: the import failed\n", status: 3 });
    const unchanged = stagecraft(["up", "dev"]);
    expect(unchanged).toMatchObject({ stderr: "error: the import failed\n", status: 1 });
    configure({ backup: "x", commands: ["true", "true"] });
    expect(stagecraft(["up", "dev"])).toMatchObject({ stderr: "", status: 0 });
  });

  it("says that a stack is not set up, and how to do it", () => {
    rmSync(join(folder, "state"), { recursive: true });
    mkdirSync(join(folder, "state"));
    expect(stagecraft(["up", "dev"]).stderr).toBe(
      "error: stack dev is not set up yet\n  fix  npm start -- dev\n",
    );
  });

  it("reports a wrong passphrase", () => {
    const { status, stderr } = stagecraft(["up", "dev"], { PULUMI_CONFIG_PASSPHRASE: "wrong" });
    expect(stderr).toMatch(
      /^error: the passphrase does not decrypt the secrets of stack dev\n {2}fix/,
    );
    expect(status).toBe(2);
  });
});

describe("a second up at the same time", () => {
  let first: ChildProcess | undefined;

  afterEach(() => {
    first?.kill("SIGKILL");
  });

  it("is rejected with the holder of the lock; when that was killed, with the command that unlocks", async () => {
    configure({ backup: "x", wait: true });
    first = spawn("pulumi", ["up", "--yes", "--skip-preview", "-s", "dev", "--non-interactive"], {
      cwd: folder,
      env: environment(),
      stdio: "ignore",
    });
    const locks = join(folder, "state/.pulumi/locks/organization/stagecraft/dev");
    await until("its lock", () => existsSync(locks) && readdirSync(locks).length > 0);
    const meanwhile = stagecraft(["up", "dev"]);
    expect(meanwhile.stderr).toMatch(
      /^error: stack dev is being changed by another update \(process \d+ of \S+, since .* UTC\)\n {2}fix {2}wait for it to finish; if its process no longer exists: pulumi cancel -s dev\n$/,
    );
    expect(meanwhile.status).toBe(1);
    first.kill("SIGKILL");
    await once(first, "exit");
    const afterwards = stagecraft(["up", "dev"]);
    expect(afterwards.stderr).toMatch(
      /^error: stack dev is locked by an update that was killed .*\n {2}fix {2}pulumi cancel -s dev /,
    );
    configure({ backup: "x" });
    pulumi(["cancel", "--yes", "-s", "dev"]);
    expect(stagecraft(["up", "dev"]).status).toBe(0);
  });
});

describe("password", () => {
  it("prints the application's password and nothing else", () => {
    const { status, stdout, stderr } = stagecraft(["password", "dev"]);
    const expected = { status: 0, stdout: "geheim of application\n", stderr: "" };
    expect({ status, stdout, stderr }).toEqual(expected);
  });

  it("prints that of another role", () => {
    expect(stagecraft(["password", "dev", "readonly"]).stdout).toBe("geheim of readonly\n");
  });

  it.each([
    ["monitor", "monitor has no password on stack dev yet", "npm start -- dev"],
    ["ada", "ada has no password on stack dev yet", "npm start -- dev"],
    [
      "carl",
      "carl has no password on stack dev",
      "none is needed: people.carl has no rights in the databases of this server",
    ],
    ["bob", 'stack dev has no role "bob"', "use one of application, readonly, monitor, ada, carl"],
  ])("says why %s has none", (role, problem, fix) => {
    const { status, stdout, stderr } = stagecraft(["password", "dev", role]);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: "",
      stderr: `error: ${problem}\n  fix  ${fix}\n`,
    });
  });
});
