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
  it("suggests the verb that was meant", () => {
    const { status, stdout, stderr } = stagecraft(["stauts"]);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      "error: unknown command 'stauts'\n(Did you mean status?)\n(npx stagecraft --help)\n",
    );
  });

  it("suggests the flag that was meant", () => {
    const { status, stderr } = stagecraft(["down", "dev", "--dat"]);
    expect(status).toBe(1);
    expect(stderr).toContain("error: unknown option '--dat'\n(Did you mean --data?)");
  });

  it("refuses an argument too many", () => {
    const { status, stderr } = stagecraft(["status", "dev", "staging"]);
    expect(status).toBe(1);
    expect(stderr).toContain("too many arguments");
  });

  it("tells the stacks when one is misspelt", () => {
    const { status, stderr } = stagecraft(["up", "stagging"]);
    expect(status).toBe(1);
    expect(stderr).toBe('error: there is no stack "stagging"\n  fix  one of dev, staging, prod\n');
  });

  it.each(["start", "up", "down", "status", "psql", "password", "upgrades", "log", "doctor"])(
    "has help with an example for %s",
    (verb) => {
      const { status, stdout } = stagecraft([verb, "--help"]);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Usage: stagecraft /);
      expect(stdout).toMatch(new RegExp(`\nExample:\n  np[mx] .*${verb}`));
    },
  );
});

describe("without a server", () => {
  it("status says of each that it is not there, without colours", () => {
    const { status, stdout, stderr } = stagecraft(["status"]);
    expect(stderr).toBe("");
    expect(stdout).toBe(
      [
        "dev      not there: npm start -- dev",
        "staging  not there: npm start -- staging",
        "prod     not there: npm start -- prod",
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
    "%s says how to get one",
    (line) => {
      const { status, stderr } = stagecraft(line.split(" "));
      expect(status).toBe(1);
      expect(stderr).toMatch(/^error: .*dev is not there\n {2}fix {2}npm start -- dev\n$/);
    },
  );

  it("down has nothing to do", () => {
    const { status, stdout } = stagecraft(["down", "prod"]);
    expect(stdout).toBe("prod is not there: nothing to do\n");
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

  it("a passphrase that is missing is used by doctor, with the files it opens", () => {
    const copy = mkdtempSync(join(tmpdir(), "stagecraft-cli-"));
    cpSync(folder, copy, { recursive: true });
    const own = { PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
    const passphrase = (): string | undefined =>
      /^ ✘ passphrase +(.+\n +fix .+)$/m.exec(stagecraft(["doctor"], own, copy).stdout)?.[1];
    expect(passphrase()).toBe("not made yet\n     fix  npm start");
    writeFileSync(join(copy, "Pulumi.prod.yaml"), "encryptionsalt: x\n", { flag: "a" });
    expect(passphrase()).toBe(
      `is missing, and secrets of Pulumi.prod.yaml need it\n     fix  put it back into ${copy}/.stagecraft/passphrase, or set PULUMI_CONFIG_PASSPHRASE`,
    );
    rmSync(copy, { recursive: true });
  });

  it("a stack file that is no YAML is named, and nothing else is printed", () => {
    const broken = mkdtempSync(join(tmpdir(), "stagecraft-cli-"));
    cpSync(folder, broken, { recursive: true });
    writeFileSync(join(broken, "Pulumi.dev.yaml"), "config: [\n");
    const { status, stderr } = stagecraft(["status", "dev"], {}, broken);
    rmSync(broken, { recursive: true });
    expect(stderr).toMatch(/^error: Pulumi\.dev\.yaml is not YAML: .+[^:]\n$/);
    expect(status).toBe(1);
  });
});

describe("the bundle", () => {
  it("is remade when a source is newer, and left alone otherwise", () => {
    const copy = mkdtempSync(join(tmpdir(), "stagecraft-build-"));
    for (const part of ["bin", "cli", "model", "tools", "package.json", "package-lock.json"]) {
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
