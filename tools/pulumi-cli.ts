import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { execa } from "execa";
import { download } from "./download";
import { cacheFolder, findOnPath, isExecutable, pulumiHome, toolsFolder } from "./folders";
import { buildGoProgram, type GoProgram } from "./go";
import { makeExecutable, makeWhole } from "./partial";
import type { Progress } from "./requirement";
import { sourcesHash } from "./sources-hash";
import { cached } from "./toolchain-cache";
import { isAtLeast, versions } from "./versions";

/** A Pulumi CLI with the host that runs programs in TypeScript. */
interface PulumiCli {
  readonly path: string;
  readonly version: string;
}

/** Marks our launcher (`pulumi-launcher.sh`), which is not the CLI itself. */
const launcherMark = "# Stagecraft's launcher of Pulumi";

const languageHost = "pulumi-language-nodejs";

/** The folder of the CLI that was found usable last, or else the one where ours goes. */
export function pulumiFolder(): string {
  const known = recall();
  return known !== undefined && isExecutable(known.path)
    ? dirname(known.path)
    : join(pulumiHome(), "bin");
}

/** The CLI on PATH, or in Pulumi's own folder, when it is new enough and has its language host. */
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

/** Fetches the CLI as Pulumi's own installer does; raises `DownloadError`. */
export async function downloadPulumiCli(progress: Progress): Promise<void> {
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  const url = `https://get.pulumi.com/releases/sdk/pulumi-v${versions.pulumi}-linux-${arch}.tar.gz`;
  const folder = await mkdtemp(join(tmpdir(), "stagecraft-pulumi-"));
  try {
    const archive = join(folder, "pulumi.tar.gz");
    await download(url, archive, (percent) => {
      progress(`downloading Pulumi ${versions.pulumi}: ${percent} %`);
    });
    await execa("tar", ["-xzf", archive, "-C", folder]);
    const unpacked = join(folder, "pulumi");
    for (const name of await readdir(unpacked)) await install(join(unpacked, name), name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds the CLI and its language host, or takes them from the user's cache; returns where from. */
export async function buildPulumiCli(progress: Progress): Promise<string> {
  const origins: string[] = [];
  for (const { name, label, program } of programs()) {
    const { folder, origin } = await cached(label, sourcesHash(program.folder), (output) =>
      buildGoProgram(program, join(output, name), (text) => {
        progress(`building ${name} ${versions.pulumi}: ${text}`);
      }),
    );
    await install(join(folder, name), name);
    origins.push(origin);
  }
  return origins.find((origin) => origin !== "from cache") ?? "from cache";
}

/** Remembers a CLI that is usable, since asking it for its version takes a third of a second. */
export async function remember({ path, version }: PulumiCli): Promise<void> {
  const entry: Known = { path, version, state: stateOf(path) };
  if (isDeepStrictEqual(recall(), entry)) return;
  await makeWhole(memory(), (partial) => writeFile(partial, JSON.stringify(entry)));
}

interface Known extends PulumiCli {
  /** Of the file, to notice that it is another one. */
  readonly state: string;
}

function recall(): Known | undefined {
  try {
    return JSON.parse(readFileSync(memory(), "utf8")) as Known;
  } catch {
    return undefined;
  }
}

/** Whether a file called `pulumi` is only our launcher. */
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
      },
    },
    {
      name: "pulumi",
      label: "pulumi-cli",
      program: {
        folder: toolsFolder("toolchain/pulumi-cli"),
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        variables: {
          "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": versions.pulumi,
        },
      },
    },
  ];
}

async function install(from: string, name: string): Promise<void> {
  await makeExecutable(join(pulumiHome(), "bin", name), (partial) => copyFile(from, partial));
}

function hasLanguageHost(pulumi: string): boolean {
  const beside = join(dirname(realpathSync(pulumi)), languageHost);
  const own = join(pulumiHome(), "bin", languageHost);
  return isExecutable(beside) || isExecutable(own) || findOnPath(languageHost) !== undefined;
}

async function versionOf(path: string): Promise<string | undefined> {
  const known = recall();
  if (known?.path === path && known.state === stateOf(path)) return known.version;
  const { failed, stdout } = await execa(path, ["version"], {
    env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    reject: false,
  });
  return failed ? undefined : stdout.trim().replace(/^v/, "");
}

function memory(): string {
  return join(cacheFolder(), "pulumi.json");
}

function stateOf(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${realpathSync(path)} ${String(size)} ${String(mtimeMs)}`;
}
