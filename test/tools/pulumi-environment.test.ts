import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { pulumiEnvironment } from "../../tools";
import { scratchFolder } from "../support/files/scratch-folder";

afterEach(() => {
  vi.unstubAllEnvs();
});

async function project(): Promise<string> {
  const folder = await scratchFolder();
  await mkdir(join(folder, ".stagecraft"));
  await writeFile(join(folder, ".stagecraft", "passphrase"), "secret");
  await writeFile(join(folder, "Pulumi.yaml"), "name: x\nbackend:\n  url: 'file://./state'\n");
  for (const name of ["PASSPHRASE", "PASSPHRASE_FILE"]) {
    vi.stubEnv(`PULUMI_CONFIG_${name}`, undefined);
  }
  vi.stubEnv("PULUMI_BACKEND_URL", undefined);
  vi.stubEnv("GOGC", undefined);
  return folder;
}

test("Pulumi gets the project's passphrase and state, our Node, and no update check", async () => {
  const folder = await project();
  const environment = pulumiEnvironment(folder);
  expect(environment).toMatchObject({
    PULUMI_CONFIG_PASSPHRASE_FILE: join(folder, ".stagecraft/passphrase"),
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Pulumi's own downloads of plugins are compared with nothing.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    GOGC: "400",
  });
  expect(environment["PATH"]?.split(":").slice(0, 2)).toContain(dirname(process.execPath));
});

test("a project's programs are run by its own run.js, where it has one", async () => {
  const folder = await project();
  const name = "PULUMI_LANGUAGE_NODEJS_RUN_PATH";
  vi.stubEnv(name, undefined);
  expect(pulumiEnvironment(folder)).not.toHaveProperty(name);
  await mkdir(join(folder, "program"));
  await writeFile(join(folder, "program", "run.js"), "");
  expect(pulumiEnvironment(folder)).toHaveProperty(name, join(folder, "program/run.js"));
  vi.stubEnv(name, "mine");
  expect(pulumiEnvironment(folder)).toHaveProperty(name, "mine");
});

test("a user whose number has no account has a name, which Pulumi asks for", async () => {
  const folder = await project();
  vi.stubEnv("USER", undefined);
  expect(pulumiEnvironment(folder)["USER"]).toBe(`uid-${String(process.getuid?.())}`);
  vi.stubEnv("USER", "ada");
  expect(pulumiEnvironment(folder)["USER"]).toBe("ada");
});

test("what the user has set wins", async () => {
  const folder = await project();
  vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "mine");
  vi.stubEnv("PULUMI_BACKEND_URL", "s3://mine");
  vi.stubEnv("GOGC", "100");
  const environment = pulumiEnvironment(folder);
  expect(environment).toMatchObject({ PULUMI_BACKEND_URL: "s3://mine", GOGC: "100" });
  expect(environment).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE_FILE");
});
