import { existsSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { findOnPath, searchPath, toolsFolder } from "./folders";
import { makeExecutable } from "./partial";
import { isLauncher } from "./pulumi-cli";

/**
 * Sees to it that a person can type `pulumi` in a new shell: puts our launcher where PATH leads, unless there is a
 * Pulumi of the person's own. Returns what is left to do by hand, if anything.
 */
export async function ensureLauncher(): Promise<string[]> {
  const first = findOnPath("pulumi");
  if (first !== undefined && !isLauncher(first)) return hasPassphrase() ? [] : [ownPulumi(first)];
  const folder = first === undefined ? launcherFolder() : dirname(first);
  const target = join(folder, "pulumi");
  const source = toolsFolder("pulumi-launcher.sh");
  if (!existsSync(target) || !readFileSync(target).equals(readFileSync(source))) {
    await makeExecutable(target, (partial) => copyFile(source, partial)).catch((error: unknown) => {
      // Another user's, from another version: it does the same.
      if (first === undefined || (error as NodeJS.ErrnoException).code !== "EACCES") throw error;
    });
  }
  // Debian and Ubuntu add ~/.local/bin at login, once it is there.
  if (searchPath().includes(folder)) return [];
  return [`for plain "pulumi" log in again, or: export PATH="${folder}:$PATH"`];
}

function launcherFolder(): string {
  return process.getuid?.() === 0 ? "/usr/local/bin" : join(homedir(), ".local", "bin");
}

function hasPassphrase(): boolean {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
  return PULUMI_CONFIG_PASSPHRASE !== undefined || PULUMI_CONFIG_PASSPHRASE_FILE !== undefined;
}

/** It does all that ours does but find the passphrase. */
function ownPulumi(path: string): string {
  return `for plain "pulumi", which is ${path}: export PULUMI_CONFIG_PASSPHRASE_FILE="$PWD/.stagecraft/passphrase"`;
}
