import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout } from "../support/files/checkout";

/** A project with the three stack files and nothing set up. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stagecraft-cli-"));
  mkdirSync(join(folder, "stacks"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: stagecraft\nruntime: nodejs\n");
  for (const stack of ["dev", "staging", "prod"]) {
    const prefix = `sct-${process.pid}`;
    writeFileSync(
      join(folder, `Pulumi.${stack}.yaml`),
      `config:\n  stagecraft:namePrefix: ${prefix}\n  stagecraft:database:\n    name: timesheets\n`,
    );
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function stagecraft(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = folder): Run {
  return spawnSync(process.execPath, [join(checkout, "bin/stagecraft.js"), ...args], {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
}

describe("the command line", () => {
  it("suggests a verb for a misspelt one", () => {
    const { status, stdout, stderr } = stagecraft(["stauts"]);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      "error: unknown command 'stauts'\n(Did you mean status?)\n(npx stagecraft --help)\n",
    );
  });

  it.each([
    ["stat", "(Did you mean status?)\n"],
    ["stats", "(Did you mean status?)\n"],
    ["state", "(Did you mean status?)\n"],
    ["backu", "(Did you mean backups?)\n"],
    ["upgrade", "(Did you mean upgrades?)\n"],
    ["acess", "(Did you mean access?)\n"],
    ["refesh", "(Did you mean refresh?)\n"],
    ["dwon", "(Did you mean down?)\n"],
    ["nonsense", ""],
  ])("offers for %s no verb that changes something instead of one that reads", (word, offer) => {
    for (const args of [
      [word],
      [word, "dev"],
      [word, "--help"],
      ["--help", word],
      ["help", word],
    ]) {
      expect(stagecraft(args)).toMatchObject({
        status: 2,
        stdout: "",
        stderr: `error: unknown command '${word}'\n${offer}(npx stagecraft --help)\n`,
      });
    }
  });

  it("prints its version", () => {
    const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
      version: string;
    };
    for (const flag of ["--version", "-V"])
      expect(stagecraft([flag])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("has help for a verb below another one", () => {
    const { stdout } = stagecraft(["backups", "verify", "--help"]);
    expect(stagecraft(["help", "backups", "verify"])).toMatchObject({ status: 0, stdout });
    expect(stagecraft(["help", "backups", "verfy"])).toMatchObject({
      status: 2,
      stderr: "error: unknown command 'verfy'\n(Did you mean verify?)\n(npx stagecraft --help)\n",
    });
    expect(stagecraft(["help"]).stdout).toBe(stagecraft(["--help"]).stdout);
  });

  it("suggests an option for a misspelt one", () => {
    const { status, stderr } = stagecraft(["down", "dev", "--dat"]);
    expect(status).toBe(2);
    expect(stderr).toContain("error: unknown option '--dat'\n(Did you mean --data?)");
  });

  it("rejects too many arguments", () => {
    const { status, stderr } = stagecraft(["status", "dev", "staging"]);
    expect(status).toBe(2);
    expect(stderr).toContain("too many arguments");
  });

  it("lists the stacks when one is misspelt", () => {
    const { status, stderr } = stagecraft(["up", "stagging"]);
    expect(status).toBe(2);
    expect(stderr).toBe('error: unknown stack "stagging"\n  fix  use one of dev, staging, prod\n');
  });

  it.each([
    "start",
    "up",
    "down",
    "status",
    "psql",
    "password",
    "upgrades",
    "log",
    "doctor",
    "pitr",
  ])("has help with an example for %s", (verb) => {
    const { status, stdout } = stagecraft([verb, "--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: stagecraft /);
    expect(stdout).toMatch(new RegExp(`\nExample:\n  np[mx] .*${verb}`));
    expect(stagecraft(["help", verb]).stdout).toBe(stdout);
  });

  it("documents the exit statuses at the end of its help", () => {
    const { status, stdout } = stagecraft(["--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /\nExit status:\n {2}0 {2}done, .*\n {2}1 {2}failed; .*\n {2}2 {2}wrong input, .*\n {2}3 {2}changed, .*\n$/,
    );
  });
});

describe("pitr", () => {
  it.each([
    ["pitr dev diff", "is invalid for argument 'action'. Allowed choices are status, psql,"],
    ["pitr dev copy-table", "error: copy-table needs the name of a table"],
    ["pitr dev psql --to latest", "error: --to creates a recovery instance and cannot be combined"],
    ["pitr dev --for 3h", "error: --for needs --to"],
    ["pitr dev --to yesterday", "error: --to must be"],
    ["pitr dev --to latest --for 30d", "error: --for must be a duration"],
    ["restore dev --to yesterday", "error: --to must be"],
    ["restore dev", "required option '--to <time>' not specified"],
    ["side dev copy-table", "error: copy-table needs the name of a table"],
  ])("%s is rejected", (line, text) => {
    const { status, stdout, stderr } = stagecraft(line.split(" "));
    expect(stderr).toContain(text);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it.each([
    "pitr dev",
    "pitr dev status",
    "side dev",
    "pitr dev --to latest",
    "restore dev --to latest",
  ])("%s needs a running server", (line) => {
    const { status, stderr } = stagecraft(line.split(" "));
    expect(stderr).toMatch(/^error: .*dev is not running\n {2}fix {2}npm start -- dev\n$/);
    expect(status).toBe(1);
  });
});

describe("without a server", () => {
  it("status shows that no server exists, without colours", () => {
    const { status, stdout, stderr } = stagecraft(["status"]);
    expect(stderr).toBe("");
    expect(stdout).toBe(
      [
        "dev      does not exist: npm start -- dev",
        "staging  does not exist: npm start -- staging",
        "prod     does not exist: npm start -- prod",
        "",
      ].join("\n"),
    );
    expect(status).toBe(0);
  });

  it("status --json is one document", () => {
    const { stdout } = stagecraft(["status", "prod", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ servers: [{ stack: "prod", state: "not there" }] });
  });

  it.each([["psql dev"], ["psql dev -c VACUUM"], ["psql dev -- -c VACUUM"], ["log dev"]])(
    "%s shows how to start one",
    (line) => {
      const { status, stderr } = stagecraft(line.split(" "));
      expect(status).toBe(1);
      expect(stderr).toMatch(/^error: .*dev is not running\n {2}fix {2}npm start -- dev\n$/);
    },
  );

  it("down has nothing to do", () => {
    const { status, stdout } = stagecraft(["down", "prod"]);
    expect(stdout).toBe("prod does not exist: nothing to do\n");
    expect(status).toBe(0);
  });
});

describe("faults", () => {
  it("the engine is down: status, up and psql say so in one line with the fix", () => {
    const nobody = { DOCKER_HOST: `unix://${folder}/nobody.sock` };
    for (const args of [["status"], ["up", "dev"], ["psql", "dev"]]) {
      const { status, stderr } = stagecraft(args, nobody);
      expect(stderr).toBe(
        `error: no Docker engine answers at DOCKER_HOST=${nobody.DOCKER_HOST}\n  fix  start that engine, or unset DOCKER_HOST to use this machine's own\n`,
      );
      expect(status).toBe(1);
    }
  });

  it("doctor reports a missing passphrase, with the files that need it", () => {
    const copy = mkdtempSync(join(tmpdir(), "stagecraft-cli-"));
    cpSync(folder, copy, { recursive: true });
    const own = { PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
    const passphrase = (): string | undefined =>
      /^ ✘ passphrase +(.+\n +fix .+)$/m.exec(stagecraft(["doctor"], own, copy).stdout)?.[1];
    expect(passphrase()).toBe("not created yet\n     fix  npm start");
    writeFileSync(join(copy, "Pulumi.prod.yaml"), "encryptionsalt: x\n", { flag: "a" });
    expect(passphrase()).toBe(
      `is missing, and secrets of Pulumi.prod.yaml need it\n     fix  restore it as ${copy}/.stagecraft/passphrase, or set PULUMI_CONFIG_PASSPHRASE`,
    );
    rmSync(copy, { recursive: true });
  });

  it("a stack file that is not YAML is named, and nothing else is printed", () => {
    const broken = mkdtempSync(join(tmpdir(), "stagecraft-cli-"));
    cpSync(folder, broken, { recursive: true });
    writeFileSync(join(broken, "Pulumi.dev.yaml"), "config: [\n");
    const { status, stderr } = stagecraft(["status", "dev"], {}, broken);
    rmSync(broken, { recursive: true });
    expect(stderr).toMatch(/^error: Pulumi\.dev\.yaml is not YAML: .+[^:]\n$/);
    expect(status).toBe(2);
  });

  it("a broken stack file does not hide the other servers from status", () => {
    const broken = mkdtempSync(join(tmpdir(), "stagecraft-cli-"));
    cpSync(folder, broken, { recursive: true });
    writeFileSync(join(broken, "Pulumi.staging.yaml"), "config: [\n");
    const shown = stagecraft(["status"], {}, broken);
    const json = stagecraft(["status", "--json"], {}, broken);
    rmSync(broken, { recursive: true });
    expect(shown.stdout).toBe(
      "dev   does not exist: npm start -- dev\nprod  does not exist: npm start -- prod\n",
    );
    expect(shown.stderr).toMatch(/^error: Pulumi\.staging\.yaml is not YAML: .+\n$/);
    expect(shown.status).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      problems: [{ stack: "staging" }],
      servers: [{ stack: "dev" }, { stack: "prod" }],
    });
  });
});

describe("the bundle", () => {
  it("is remade when a source is newer, and left alone otherwise", () => {
    const copy = mkdtempSync(join(tmpdir(), "stagecraft-build-"));
    const parts = ["bin", "cli", "contract", "engine", "model", "tools"];
    for (const part of [...parts, "package.json", "package-lock.json"]) {
      cpSync(join(checkout, part), join(copy, part), {
        recursive: true,
        filter: (path) => !path.includes("/toolchain/"),
      });
    }
    symlinkSync(join(checkout, "node_modules"), join(copy, "node_modules"));
    const run = (): string =>
      spawnSync(process.execPath, [join(copy, "bin/stagecraft.js"), "--help"], {
        encoding: "utf8",
      }).stdout;
    try {
      expect(run()).toContain("Development, staging and production servers");
      const program = join(copy, "cli/program/program.ts");
      replaceIn(program, "Development, staging and production", "Three");
      expect(run()).toContain("Three servers");
      replaceIn(join(copy, "dist/stagecraft.js"), "Three servers", "Untouched servers");
      expect(run()).toContain("Untouched servers");
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});

function replaceIn(path: string, from: string, to: string): void {
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}
