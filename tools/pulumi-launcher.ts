import { existsSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { findOnPath, searchPath, toolsFolder } from "./folders";
import { createExecutable } from "./atomic-file";
import { isLauncher } from "./pulumi-cli";

/**
 * Makes `pulumi` available in new shells: installs our launcher on PATH, unless the user has installed Pulumi. Returns
 * the remaining manual steps, if any.
 */
export async function ensureLauncher(): Promise<string[]> {
  const first = findOnPath("pulumi");
  if (first !== undefined && !isLauncher(first)) return hasPassphrase() ? [] : [ownPulumi(first)];
  const folder = first === undefined ? launcherFolder() : dirname(first);
  const target = join(folder, "pulumi");
  const source = toolsFolder("pulumi-launcher.sh");
  if (!existsSync(target) || !readFileSync(target).equals(readFileSync(source))) {
    await createExecutable(target, (partial) => copyFile(source, partial)).catch(
      (error: unknown) => {
        // It belongs to another user and another version, but works the same way.
        if (first === undefined || (error as NodeJS.ErrnoException).code !== "EACCES") throw error;
      },
    );
  }
  // Debian and Ubuntu add ~/.local/bin to PATH at login, if it exists.
  if (searchPath().includes(folder)) return [];
  return [`to use "pulumi" directly, log in again, or: export PATH="${folder}:$PATH"`];
}

function launcherFolder(): string {
  return process.getuid?.() === 0 ? "/usr/local/bin" : join(homedir(), ".local", "bin");
}

function hasPassphrase(): boolean {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
  return PULUMI_CONFIG_PASSPHRASE !== undefined || PULUMI_CONFIG_PASSPHRASE_FILE !== undefined;
}

/** The step for a user's own Pulumi: unlike our launcher, it does not find the passphrase. */
function ownPulumi(path: string): string {
  return `to use "pulumi" directly, which is ${path}: export PULUMI_CONFIG_PASSPHRASE_FILE="$PWD/.stagecraft/passphrase"`;
}
