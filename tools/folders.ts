import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** Stagecraft's cache folder of the user; its contents can be recreated. */
export function cacheFolder(): string {
  return join(environmentVariable("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "stagecraft");
}

/** The folder of Pulumi's executables and plugins. */
export function pulumiHome(): string {
  return environmentVariable("PULUMI_HOME") ?? join(homedir(), ".pulumi");
}

/** A file or folder of Stagecraft's `tools/`; works in the sources and in the bundle. */
export function toolsFolder(name: string): string {
  return join(packageFolder(), "tools", name);
}

/** The folder with Stagecraft's package.json. */
export function packageFolder(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && isStagecraft(manifest)) return folder;
    if (folder === dirname(folder)) throw new Error(`${__dirname} is not in a Stagecraft package`);
  }
}

/** The first executable with this name on PATH that `accept` does not exclude. */
export function findOnPath(
  name: string,
  accept: (path: string) => boolean = () => true,
): string | undefined {
  return searchPath()
    .map((folder) => join(folder, name))
    .find((path) => isExecutable(path) && accept(path));
}

/** The folders on PATH, without those that npm adds for its scripts. */
export function searchPath(): string[] {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "" && !/[/\\]node_modules[/\\]/.test(folder));
}

/** Whether a path is an executable file. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isStagecraft(manifest: string): boolean {
  const content = JSON.parse(readFileSync(manifest, "utf8")) as { name?: unknown };
  return content.name === "stagecraft";
}

/** Value of an environment variable; `undefined` if it is unset or empty. */
function environmentVariable(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}
