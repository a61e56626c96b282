import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, describe, expect, test, vi } from "vitest";
import { toolsFolder } from "../../tools/folders";
import { ensureLauncher } from "../../tools/pulumi-launcher";
import { scratchFolder } from "../support/files/scratch-folder";
import { atMost } from "../support/time/limit.mjs";

const launcher = toolsFolder("pulumi-launcher.sh");

/** A home with a `pulumi` that prints the environment and arguments it is given, and a project in it. */
async function prepare() {
  const home = await scratchFolder();
  const bin = join(home, ".pulumi", "bin");
  const project = join(home, "project");
  await mkdir(bin, { recursive: true });
  for (const name of ["stacks", "program"]) await mkdir(join(project, name), { recursive: true });
  await mkdir(join(project, ".stagecraft"));
  await writeFile(join(bin, "pulumi"), '#!/bin/bash\nprintf "args=%s\\n" "$*"\nenv\n');
  await chmod(join(bin, "pulumi"), 0o755);
  await writeFile(join(project, ".stagecraft", "passphrase"), "secret");
  await writeFile(join(project, "program", "run.js"), "");
  await writeFile(
    join(project, "Pulumi.yaml"),
    "name: try\nbackend:\n  url: file://./.stagecraft/state?create_dir=true\n",
  );

  const run = async (cwd: string, args: string[] = [], environment: NodeJS.ProcessEnv = {}) => {
    const { stdout } = await execa(launcher, args, {
      cwd,
      extendEnv: false,
      env: { HOME: home, PATH: "/usr/bin:/bin", ...environment },
    });
    return Object.fromEntries(
      stdout.split("\n").map((line) => [line.split("=", 1)[0] ?? "", line.replace(/^[^=]*=/, "")]),
    );
  };
  return { home, project, run };
}

describe("the pulumi that people type", () => {
  test("finds the passphrase and the state of the project around it", async () => {
    const { home, project, run } = await prepare();
    const seen = await run(join(project, "stacks"), ["up", "-s", "dev"]);
    expect(seen).toMatchObject({
      args: "up -s dev",
      PULUMI_CONFIG_PASSPHRASE_FILE: join(project, ".stagecraft/passphrase"),
      PULUMI_BACKEND_URL: `file://${project}/.stagecraft/state?create_dir=true`,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      GOGC: "400",
      PULUMI_LANGUAGE_NODEJS_RUN_PATH: join(project, "program/run.js"),
      USER: `uid-${String(process.getuid?.())}`,
    });
    expect(seen["PATH"]).toContain(`${home}/.pulumi/bin:`);
  });

  test.each([["-C"], ["--cwd"]])("looks where %s says", async (option) => {
    const { home, project, run } = await prepare();
    const passphrase = join(project, ".stagecraft/passphrase");
    expect(await run(home, [option, "project", "up"])).toMatchObject({
      PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
    });
    expect(await run(home, [`--cwd=${project}`, "up"])).toMatchObject({
      PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
    });
  });

  test.each([
    ["PULUMI_CONFIG_PASSPHRASE", ""],
    ["PULUMI_CONFIG_PASSPHRASE", "mine"],
    ["PULUMI_CONFIG_PASSPHRASE_FILE", "/mine"],
    ["PULUMI_BACKEND_URL", "s3://mine"],
    ["PULUMI_SKIP_UPDATE_CHECK", "false"],
    ["PULUMI_LANGUAGE_NODEJS_RUN_PATH", ""],
  ])("leaves %s=%j as it is", async (name, value) => {
    const { project, run } = await prepare();
    const seen = await run(project, [], { [name]: value });
    expect(seen[name]).toBe(value);
    if (name === "PULUMI_CONFIG_PASSPHRASE") {
      expect(seen).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE_FILE");
    }
  });

  test("changes nothing outside a Stagecraft project", async () => {
    const { home, run } = await prepare();
    const seen = await run(home, ["up"]);
    const added = Object.keys(seen).filter((name) => /^(PULUMI|NODE)_/.test(name));
    expect(added).toEqual(["PULUMI_SKIP_UPDATE_CHECK"]);
  });

  test("puts the cached Node first where the system's is too old", async () => {
    const { home, project, run } = await prepare();
    const cached = join(home, ".cache/stagecraft/node/bin");
    const old = join(home, "old");
    for (const [folder, version] of [
      [cached, "v22.23.3"],
      [old, "v18.19.0"],
    ] as const) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "node"), `#!/bin/sh\necho ${version}\n`);
      await chmod(join(folder, "node"), 0o755);
    }
    const path = async (first: string): Promise<string | undefined> =>
      (await run(project, [], { PATH: `${first}:/usr/bin:/bin` }))["PATH"];
    expect(await path(old)).toMatch(new RegExp(`^[^:]*:${cached}:${old}`));
    expect(await path(cached)).not.toContain(`${cached}:${cached}`);
  });

  test("costs next to nothing", async () => {
    const { project, run } = await prepare();
    const began = performance.now();
    for (let i = 0; i < 5; i++) await run(project);
    expect((performance.now() - began) / 5).toBeLessThan(atMost(150));
  });
});

describe("the set-up", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  /** As a user who is not root, with nothing but these folders of the home on PATH. */
  async function setUpWith(...folders: readonly string[]): Promise<string> {
    const home = await scratchFolder();
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    vi.stubEnv("HOME", home);
    vi.stubEnv("PATH", folders.map((folder) => join(home, folder)).join(":"));
    for (const name of ["PASSPHRASE", "PASSPHRASE_FILE"])
      vi.stubEnv(`PULUMI_CONFIG_${name}`, undefined);
    return home;
  }

  const installed = async (path: string): Promise<boolean> =>
    (await readFile(path, "utf8").catch(() => "")) === (await readFile(launcher, "utf8"));

  test("makes it for a user who is not root, and says what is left to do where PATH does not lead there", async () => {
    const home = await setUpWith("bin");
    const advice = `to use "pulumi" directly, log in again, or: export PATH="${home}/.local/bin:$PATH"`;
    expect(await ensureLauncher()).toEqual([advice]);
    expect(await installed(join(home, ".local/bin/pulumi"))).toBe(true);
    vi.stubEnv("PATH", join(home, ".local/bin"));
    expect(await ensureLauncher()).toEqual([]);
  });

  test("leaves a Pulumi of the user's own alone, and says what that one needs", async () => {
    const home = await setUpWith(".pulumi/bin", ".local/bin");
    const own = join(home, ".pulumi/bin/pulumi");
    await mkdir(join(home, ".pulumi/bin"), { recursive: true });
    await writeFile(own, "#!/bin/sh\n", { mode: 0o755 });
    expect(await ensureLauncher()).toEqual([
      `to use "pulumi" directly, which is ${own}: export PULUMI_CONFIG_PASSPHRASE_FILE="$PWD/.stagecraft/passphrase"`,
    ]);
    vi.stubEnv("PULUMI_CONFIG_PASSPHRASE_FILE", "mine");
    expect(await ensureLauncher()).toEqual([]);
    expect(await installed(join(home, ".local/bin/pulumi"))).toBe(false);
  });
});
