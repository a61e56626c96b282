import { DownloadError, isReachable } from "./download";
import { buildPulumiCli, downloadPulumiCli, findPulumiCli, remember } from "./pulumi-cli";
import { ensureLauncher } from "./pulumi-launcher";
import {
  buildPlugin,
  commandPlugin,
  dockerPlugin,
  downloadPlugin,
  hasPlugin,
  type PulumiPlugin,
} from "./pulumi-plugin";
import { type Finding, type Progress, type Requirement, RequirementError } from "./requirement";
import { versions } from "./versions";

const plugins: readonly PulumiPlugin[] = [commandPlugin, dockerPlugin];

/**
 * Pulumi's CLI, its host for TypeScript, and the plugins docker and command. What is there is used; what is missing
 * is fetched from Pulumi, or else taken from the user's cache, or else built from `toolchain/`.
 */
export const pulumiToolchain: Requirement = {
  name: "Pulumi 3.256 and plugins",

  async check(): Promise<Finding> {
    const cli = await findPulumiCli();
    const missing = plugins.filter((plugin) => !hasPlugin(plugin));
    if (cli !== undefined && missing.length === 0) return { ok: true, detail: cli.version };
    const names = missing.map(({ name, version }) => `plugin ${name} ${version}`);
    const all = [...(cli === undefined ? [`Pulumi ${versions.pulumi}`] : []), ...names];
    return { ok: false, detail: `missing: ${all.join(", ")}`, fix: "npm start" };
  },

  async ensure(progress: Progress): Promise<string> {
    const origins = new Set<string>();
    const official = once(() => isReachable("https://get.pulumi.com"));
    if ((await findPulumiCli()) === undefined) origins.add(await installCli(official, progress));
    const cli = await findPulumiCli();
    if (cli === undefined) {
      throw new RequirementError(
        "Pulumi was installed but does not run",
        "remove ~/.pulumi/bin and run this again",
      );
    }
    await remember(cli);
    for (const plugin of plugins.filter((each) => !hasPlugin(each))) {
      progress(`plugin ${plugin.name} ${plugin.version}`);
      const fetched = (await official()) && (await downloadPlugin(cli.path, plugin));
      origins.add(fetched ? "downloaded" : await buildPlugin(cli.path, plugin, progress));
    }
    const advice = await ensureLauncher();
    return [origins.size > 0 ? [...origins].join(", ") : "there", ...advice].join("; ");
  },
};

async function installCli(official: () => Promise<boolean>, progress: Progress): Promise<string> {
  progress(`looking for Pulumi ${versions.pulumi}`);
  if (await official()) {
    try {
      await downloadPulumiCli(progress);
      return "downloaded";
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
    }
  }
  return await buildPulumiCli(progress);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
