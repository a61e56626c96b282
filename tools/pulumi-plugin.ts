import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { findChecksum } from "./checksums";
import { DownloadError, downloadVerified } from "./download";
import { cacheFolder, isExecutable, packageFolder, pulumiHome, toolsFolder } from "./folders";
import { buildGoProgram } from "./go-build";
import { lastLines } from "./apt-packages";
import { ensurePrivateFolder } from "./private-folder";
import { pulumiReleases } from "./pulumi-cli";
import { userName } from "./pulumi-environment";
import { type ProgressCallback, RequirementError } from "./requirement";
import { sourcesHash } from "./sources-hash";
import { buildCached } from "./toolchain-cache";
import { versions } from "./versions";

/** A resource plugin of Pulumi, and how to build it if the official one cannot be downloaded. */
export interface PulumiPlugin {
  readonly name: string;
  readonly version: string;
  /** What the plugin that we build cannot do. @default it can do the same as the official one */
  readonly limits?: string;
  sourcesHash(): string;
  build(folder: string, progress: ProgressCallback): Promise<void>;
}

/** A file in plugins that we build, to detect changed sources. */
const stampName = "stagecraft-sources";

const dockerSources = (): string => toolsFolder("toolchain/docker-plugin");
const commandSources = (): string => toolsFolder("toolchain/command-plugin");

export const dockerPlugin: PulumiPlugin = {
  name: "docker",
  version: versions.dockerPlugin,
  sourcesHash: () => sourcesHash(dockerSources()),
  async build(folder, progress) {
    const executable = join(folder, "pulumi-resource-docker");
    const program = {
      folder: dockerSources(),
      package: ".",
      variables: { "main.version": versions.dockerPlugin },
      tags: ["no_compose"],
      instead: `add the SHA-256 of ${archiveName(dockerPlugin)} to tools/checksums.txt, which is then downloaded`,
    };
    await buildGoProgram(program, executable, progress);
    const schema = await execa(executable, ["schema"], { maxBuffer: 64 * 1024 * 1024 });
    await writeFile(join(folder, "schema.json"), schema.stdout);
  },
};

export const commandPlugin: PulumiPlugin = {
  name: "command",
  version: versions.commandPlugin,
  limits:
    "command plugin: Command of local and remote, and local.run, but no copies to other machines and no archives",
  sourcesHash: () => sourcesHash(commandSources(), ["package-lock.json"]),
  async build(folder) {
    const esbuild = join(packageFolder(), "node_modules", ".bin", "esbuild");
    // Optional native builds of ssh2.
    const native = ["--external:cpu-features", "--external:*.node"];
    const options = ["--bundle", "--platform=node", "--target=node20", "--minify", ...native];
    await execa(
      esbuild,
      ["main.ts", ...options, "--log-level=warning", `--outfile=${join(folder, "plugin.js")}`],
      { cwd: commandSources() },
    );
    const launcher = "pulumi-resource-command";
    await copyFile(join(commandSources(), launcher), join(folder, launcher));
  },
};

/** Whether the plugin is installed: the official one, or ours if it is built from the current sources. */
export function hasPlugin(plugin: PulumiPlugin): boolean {
  const folder = pluginFolder(plugin);
  if (!isExecutable(join(folder, `pulumi-resource-${plugin.name}`))) return false;
  if (existsSync(`${folder}.partial`)) return false; // Pulumi was interrupted while unpacking it.
  const stamp = join(folder, stampName);
  return !existsSync(stamp) || readFileSync(stamp, "utf8") === plugin.sourcesHash();
}

/**
 * Downloads the official plugin, compares its checksum and installs it. Returns `false` if `tools/checksums.txt` has none for this
 * platform or Pulumi cannot be reached; raises {@link RequirementError} if the archive is not the expected one.
 */
export async function downloadPlugin(
  pulumi: string,
  plugin: PulumiPlugin,
  progress: ProgressCallback,
): Promise<boolean> {
  const name = archiveName(plugin);
  if (findChecksum(name) === undefined) return false;
  const folder = await mkdtemp(join(ensurePrivateFolder(cacheFolder()), "plugin-"));
  try {
    const archive = await downloadVerified({
      url: `${pulumiReleases}/plugins/${name}`,
      folder,
      onPercent: (percent) => {
        progress(`downloading the plugin ${plugin.name} ${plugin.version}: ${percent} %`);
      },
    });
    await installPlugin(pulumi, plugin, archive);
    return true;
  } catch (error) {
    if (error instanceof DownloadError) return false;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The archive of an official plugin for this machine. */
export function archiveName({ name, version }: PulumiPlugin): string {
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  return `pulumi-resource-${name}-v${version}-linux-${arch}.tar.gz`;
}

/** Builds the plugin, or takes it from the user's cache, and installs it; returns its origin. */
export async function buildPlugin(
  pulumi: string,
  plugin: PulumiPlugin,
  progress: ProgressCallback,
): Promise<string> {
  const { name, version } = plugin;
  const hash = plugin.sourcesHash();
  const { folder, origin } = await buildCached(`${name}-plugin`, hash, async (output) => {
    await plugin.build(output, (text) => {
      progress(`building the plugin ${name} ${version}: ${text}`);
    });
    await writeFile(join(output, stampName), hash);
  });
  await installPlugin(pulumi, plugin, folder);
  return origin;
}

/** Lets Pulumi install a plugin from a folder or archive; it downloads nothing. */
async function installPlugin(pulumi: string, plugin: PulumiPlugin, from: string): Promise<void> {
  const { name, version } = plugin;
  const args = ["plugin", "install", "resource", name, version, "--file", from, "--reinstall"];
  ensurePrivateFolder(pulumiHome());
  const result = await execa(pulumi, args, {
    env: { ...userName(), ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    stdin: "ignore",
    reject: false,
    all: true,
  });
  if (result.failed || !hasPlugin(plugin)) {
    throw new RequirementError(
      `Pulumi could not install the plugin ${name} ${version}: ${lastLines(result.all, 3)}`,
      `check that ${pluginFolder(plugin)} is writable`,
    );
  }
}

function pluginFolder({ name, version }: PulumiPlugin): string {
  return join(pulumiHome(), "plugins", `resource-${name}-v${version}`);
}
