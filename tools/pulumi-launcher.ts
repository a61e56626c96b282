import { existsSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { findOnPath, searchPath, toolsFolder } from "./folders";
import { makeExecutable } from "./partial";
import { isLauncher, pulumiFolder } from "./pulumi-cli";

/**
 * Sees to it that a person can type `pulumi` in a new shell: puts our launcher on PATH unless there is a Pulumi
 * already. Returns what is left to do by hand, if anything.
 */
export async function ensureLauncher(): Promise<string[]> {
  if (findOnPath("pulumi", (path) => !isLauncher(path)) !== undefined) return [];
  const source = toolsFolder("pulumi-launcher.sh");
  const there = findOnPath("pulumi");
  const folder = there === undefined ? launcherFolder() : undefined;
  const target = there ?? (folder === undefined ? undefined : join(folder, "pulumi"));
  if (target === undefined) return [`for plain "pulumi" put ${pulumiFolder()} on PATH`];
  if (existsSync(target) && readFileSync(target).equals(readFileSync(source))) return [];
  await makeExecutable(target, (partial) => copyFile(source, partial));
  return [];
}

function launcherFolder(): string | undefined {
  const folder = process.getuid?.() === 0 ? "/usr/local/bin" : join(homedir(), ".local", "bin");
  return searchPath().includes(folder) ? folder : undefined;
}
