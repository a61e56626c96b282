import { DownloadError, isReachable } from "./download";
import {
  buildPulumiCli,
  downloadPulumiCli,
  findPulumiCli,
  cacheCli,
  languageHostLimits,
} from "./pulumi-cli";
import { ensureLauncher } from "./pulumi-launcher";
import {
  buildPlugin,
  commandPlugin,
  dockerPlugin,
  downloadPlugin,
  hasPlugin,
  type PulumiPlugin,
} from "./pulumi-plugin";
import {
  type CheckResult,
  type ProgressCallback,
  type Requirement,
  RequirementError,
} from "./requirement";
import { versions } from "./versions";

const plugins: readonly PulumiPlugin[] = [commandPlugin, dockerPlugin];

/**
 * Pulumi's CLI, its Node.js language host, and the plugins docker and command. Missing parts are downloaded from Pulumi,
 * if `checksums.txt` has their checksums; otherwise they are taken from the user's cache or built from `toolchain/`.
 */
export const pulumiToolchain: Requirement = {
  name: "Pulumi 3.256 and plugins",

  async check(): Promise<CheckResult> {
    const cli = await findPulumiCli();
    const missing = plugins.filter((plugin) => !hasPlugin(plugin));
    if (cli !== undefined && missing.length === 0) return { ok: true, detail: cli.version };
    const names = missing.map(({ name, version }) => `plugin ${name} ${version}`);
    const all = [...(cli === undefined ? [`Pulumi ${versions.pulumi}`] : []), ...names];
    return { ok: false, detail: `missing: ${all.join(", ")}`, fix: "npm start" };
  },

  async ensure(progress: ProgressCallback): Promise<string> {
    const origins = new Set<string>();
    const limits: string[] = [];
    const isOfficialReachable = once(() => isReachable("https://get.pulumi.com"));
    if ((await findPulumiCli()) === undefined) {
      const origin = await installCli(isOfficialReachable, progress);
      origins.add(origin);
      if (origin !== "downloaded") limits.push(languageHostLimits());
    }
    const cli = await findPulumiCli();
    if (cli === undefined) {
      throw new RequirementError(
        "Pulumi is installed but does not run",
        "remove ~/.pulumi/bin and run this again",
      );
    }
    await cacheCli(cli);
    for (const plugin of plugins.filter((each) => !hasPlugin(each))) {
      progress(`installing plugin ${plugin.name} ${plugin.version}`);
      const isDownloaded =
        (await isOfficialReachable()) && (await downloadPlugin(cli.path, plugin, progress));
      origins.add(isDownloaded ? "downloaded" : await buildPlugin(cli.path, plugin, progress));
      if (!isDownloaded && plugin.limits !== undefined) limits.push(plugin.limits);
    }
    const advice = await ensureLauncher();
    const origin = origins.size > 0 ? [...origins].join(", ") : "present";
    return [origin, ...limits, ...advice].join("; ");
  },
};

async function installCli(
  isOfficialReachable: () => Promise<boolean>,
  progress: ProgressCallback,
): Promise<string> {
  progress(`looking for Pulumi ${versions.pulumi}`);
  if (await isOfficialReachable()) {
    try {
      await downloadPulumiCli(progress);
      return "downloaded";
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
    }
  }
  return await buildPulumiCli(progress);
}

function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= compute());
}
