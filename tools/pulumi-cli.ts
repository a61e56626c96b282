import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { execa } from "execa";
import { downloadVerified } from "./download";
import { cacheFolder, findOnPath, isExecutable, pulumiHome, toolsFolder } from "./folders";
import { buildGoProgram, type GoProgram } from "./go-build";
import { createExecutable, createAtomically } from "./atomic-file";
import { ensurePrivateFolder } from "./private-folder";
import type { ProgressCallback } from "./requirement";
import { sourcesHash } from "./sources-hash";
import { buildCached } from "./toolchain-cache";
import { isAtLeast, versions } from "./versions";

/** A Pulumi CLI with its Node.js language host. */
interface PulumiCli {
  readonly path: string;
  readonly version: string;
}

/** Identifies our launcher (`pulumi-launcher.sh`), which is not the CLI itself. */
const launcherMark = "# Stagecraft's launcher of Pulumi";

/** Where Pulumi publishes its CLI and plugins. */
export const pulumiReleases = "https://get.pulumi.com/releases";

const makeReachable = `make ${pulumiReleases} reachable`;

const languageHost = "pulumi-language-nodejs";

/** The folder of the CLI that was found last, or else the folder that we install it to. */
export function pulumiFolder(): string {
  const cached = readCachedCli();
  return cached !== undefined && isExecutable(cached.path)
    ? dirname(cached.path)
    : join(pulumiHome(), "bin");
}

/** The CLI on PATH, or in Pulumi's own folder, if it is new enough and has its language host. */
export async function findPulumiCli(): Promise<PulumiCli | undefined> {
  const onPath = findOnPath("pulumi", (path) => !isLauncher(path));
  const own = join(pulumiHome(), "bin", "pulumi");
  for (const path of new Set([own, onPath])) {
    if (path === undefined || !isExecutable(path) || !hasLanguageHost(path)) continue;
    const version = await versionOf(path);
    if (version !== undefined && isAtLeast(version, versions.pulumi)) return { path, version };
  }
  return undefined;
}

/**
 * Downloads the CLI, compares its checksum and installs it; raises `DownloadError` if Pulumi cannot be reached, and
 * `RequirementError` if the archive is not the expected one.
 */
export async function downloadPulumiCli(progress: ProgressCallback): Promise<void> {
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  const folder = await mkdtemp(join(ensurePrivateFolder(cacheFolder()), "pulumi-"));
  try {
    const archive = await downloadVerified({
      url: `${pulumiReleases}/sdk/pulumi-v${versions.pulumi}-linux-${arch}.tar.gz`,
      folder,
      onPercent: (percent) => {
        progress(`downloading Pulumi ${versions.pulumi}: ${percent} %`);
      },
    });
    await execa("tar", ["-xzf", archive, "-C", folder, "--no-same-owner"]);
    const unpacked = join(folder, "pulumi");
    for (const name of await readdir(unpacked)) await install(join(unpacked, name), name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds the CLI and its language host, or takes them from the user's cache; returns their origin. */
export async function buildPulumiCli(progress: ProgressCallback): Promise<string> {
  const origins: string[] = [];
  for (const { name, label, program } of programs()) {
    const { folder, origin } = await buildCached(label, sourcesHash(program.folder), (output) =>
      buildGoProgram(program, join(output, name), (text) => {
        progress(`building ${name} ${versions.pulumi}: ${text}`);
      }),
    );
    await install(join(folder, name), name);
    origins.push(origin);
  }
  return origins.find((origin) => origin !== "from cache") ?? "from cache";
}

/** Which language host {@link buildPulumiCli} builds, and what it cannot do. */
export function languageHostLimits(): string {
  const modules = readFileSync(toolsFolder("toolchain/language-nodejs/go.mod"), "utf8");
  const version = /^require github\.com\/pulumi\/pulumi\/sdk\/v3 v(\S+)$/m.exec(modules)?.[1] ?? "";
  return `language host for Node.js ${version}: it runs programs, but cannot generate SDKs (pulumi package add, pulumi convert) or run other languages`;
}

/** Caches the version of a CLI, because running it to read the version takes a third of a second. */
export async function cacheCli({ path, version }: PulumiCli): Promise<void> {
  const entry: CachedCli = { path, version, state: stateOf(path) };
  if (isDeepStrictEqual(readCachedCli(), entry)) return;
  ensurePrivateFolder(cacheFolder());
  await createAtomically(cacheFile(), (partial) => writeFile(partial, JSON.stringify(entry)));
}

interface CachedCli extends PulumiCli {
  /** State of the file, to detect that it was replaced. */
  readonly state: string;
}

function readCachedCli(): CachedCli | undefined {
  try {
    return JSON.parse(readFileSync(cacheFile(), "utf8")) as CachedCli;
  } catch {
    return undefined;
  }
}

/** Whether a file named `pulumi` is our launcher. */
export function isLauncher(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(200);
    readSync(file, start, 0, start.length, 0);
    return start.includes(launcherMark);
  } finally {
    closeSync(file);
  }
}

function programs(): { name: string; label: string; program: GoProgram }[] {
  return [
    {
      name: languageHost,
      label: "language-nodejs",
      program: {
        folder: toolsFolder("toolchain/language-nodejs"),
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        instead: makeReachable,
      },
    },
    {
      name: "pulumi",
      label: "pulumi-cli",
      program: {
        folder: toolsFolder("toolchain/pulumi-cli"),
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        instead: makeReachable,
        variables: {
          "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": versions.pulumi,
        },
      },
    },
  ];
}

async function install(from: string, name: string): Promise<void> {
  const folder = join(ensurePrivateFolder(pulumiHome()), "bin");
  await createExecutable(join(folder, name), (partial) => copyFile(from, partial));
}

function hasLanguageHost(pulumi: string): boolean {
  const adjacent = join(dirname(realpathSync(pulumi)), languageHost);
  const own = join(pulumiHome(), "bin", languageHost);
  return isExecutable(adjacent) || isExecutable(own) || findOnPath(languageHost) !== undefined;
}

async function versionOf(path: string): Promise<string | undefined> {
  const cached = readCachedCli();
  if (cached?.path === path && cached.state === stateOf(path)) return cached.version;
  const { failed, stdout } = await execa(path, ["version"], {
    env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    reject: false,
  });
  return failed ? undefined : stdout.trim().replace(/^v/, "");
}

function cacheFile(): string {
  return join(cacheFolder(), "pulumi.json");
}

function stateOf(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${realpathSync(path)} ${String(size)} ${String(mtimeMs)}`;
}
