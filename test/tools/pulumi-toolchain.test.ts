import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, describe, expect, test, vi } from "vitest";
import { pulumiToolchain } from "../../tools";
import { findChecksum } from "../../tools/checksums";
import {
  archiveName,
  buildPlugin,
  commandPlugin,
  downloadPlugin,
  hasPlugin,
} from "../../tools/pulumi-plugin";
import { findPulumiCli } from "../../tools/pulumi-cli";
import { scratchFolder } from "../support/files/scratch-folder";
import { atMost, second } from "../support/time/limit.mjs";

const silent = (): void => undefined;

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The machine's CLI, with plugins and cache of its own. */
async function freshHome(): Promise<{ pulumi: string; home: string; cache: string }> {
  const pulumi = (await findPulumiCli())?.path ?? "";
  const home = await scratchFolder();
  const cache = await scratchFolder();
  vi.stubEnv("PULUMI_HOME", home);
  vi.stubEnv("XDG_CACHE_HOME", cache);
  return { pulumi, home, cache };
}

describe("the Pulumi toolchain", () => {
  test("that is there is found within a second, and looked at in less", async () => {
    await pulumiToolchain.ensure(silent);
    const began = performance.now();
    expect(await pulumiToolchain.ensure(silent)).toMatch(/^present/);
    const ensured = performance.now();
    expect(await pulumiToolchain.check()).toMatchObject({ ok: true });
    const checked = performance.now();
    expect(ensured - began).toBeLessThan(atMost(1 * second));
    expect(checked - ensured).toBeLessThan(atMost(300));
  });

  test("that is missing is named", async () => {
    await freshHome();
    vi.stubEnv("PATH", "/usr/bin:/bin");
    expect(await pulumiToolchain.check()).toEqual({
      ok: false,
      detail: "missing: Pulumi 3.256.0, plugin command 1.2.1, plugin docker 5.2.0",
      fix: "npm start",
    });
  });

  test("is completed after an interrupted installation, from the cache where it can be", async () => {
    const { pulumi, home, cache } = await freshHome();
    expect(await buildPlugin(pulumi, commandPlugin, silent)).toBe("built from source");
    expect(hasPlugin(commandPlugin)).toBe(true);
    const folder = join(home, "plugins", "resource-command-v1.2.1");

    // Pulumi was killed while it unpacked the plugin: it leaves a mark beside it.
    await writeFile(`${folder}.partial`, "");
    expect(hasPlugin(commandPlugin)).toBe(false);
    expect(await buildPlugin(pulumi, commandPlugin, silent)).toBe("from cache");
    expect(hasPlugin(commandPlugin)).toBe(true);

    // We were killed while we built it: what lies there half-made is not taken for the whole.
    const built = join(cache, "stagecraft", "toolchain");
    const [name = ""] = await readdir(built);
    await rm(join(built, name), { recursive: true });
    await mkdir(join(built, `${name}.0000.partial`));
    await rm(folder, { recursive: true });
    expect(await buildPlugin(pulumi, commandPlugin, silent)).toBe("built from source");
    expect(existsSync(join(folder, "plugin.js"))).toBe(true);
  });

  test("is not asked for a plugin whose checksum nobody knows: it is built instead", async () => {
    await freshHome();
    const other = { ...commandPlugin, version: "0.0.1" };
    expect(findChecksum(archiveName(other))).toBeUndefined();
    expect(await downloadPlugin("no pulumi", other, silent)).toBe(false);
  });

  test("notices that a plugin of ours was built from other sources", async () => {
    const { pulumi, home } = await freshHome();
    await buildPlugin(pulumi, commandPlugin, silent);
    const stamp = join(home, "plugins", "resource-command-v1.2.1", "stagecraft-sources");
    await writeFile(stamp, "others");
    expect(hasPlugin(commandPlugin)).toBe(false);
    await rm(stamp); // The official plugin has none.
    expect(hasPlugin(commandPlugin)).toBe(true);
  });

  test("has the types of the npm package @pulumi/docker", async () => {
    const { stdout } = await execa("pulumi", ["package", "get-schema", "docker@5.2.0"], {
      env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
      maxBuffer: 64 * 1024 * 1024,
    });
    const { resources } = JSON.parse(stdout) as { resources: Record<string, unknown> };
    const names = ["Container", "Network", "RemoteImage", "ServiceConfig", "Tag", "Volume"];
    for (const name of names) {
      const file = name.charAt(0).toLowerCase() + name.slice(1);
      expect(resources).toHaveProperty([`docker:index/${file}:${name}`]);
    }
  });
});
