import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** The user's cache folder for Stagecraft; everything in it can be made again. */
export function cacheFolder(): string {
  return join(setting("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "stagecraft");
}

/** Where Pulumi keeps its executables and plugins. */
export function pulumiHome(): string {
  return setting("PULUMI_HOME") ?? join(homedir(), ".pulumi");
}

/** A folder of Stagecraft's own `tools/`, from the sources as well as from the bundle. */
export function toolsFolder(name: string): string {
  return join(packageFolder(), "tools", name);
}

/** The folder with Stagecraft's package.json. */
export function packageFolder(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && isStagecraft(manifest)) return folder;
    if (folder === dirname(folder)) throw new Error(`no Stagecraft package around ${__dirname}`);
  }
}

/** The first executable of this name on PATH, leaving out those that `isWanted` refuses. */
export function findOnPath(
  name: string,
  isWanted: (path: string) => boolean = () => true,
): string | undefined {
  return searchPath()
    .map((folder) => join(folder, name))
    .find((path) => isExecutable(path) && isWanted(path));
}

/** The folders on PATH that a new shell would have as well: npm adds some for its scripts only. */
export function searchPath(): string[] {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "" && !/[/\\]node_modules[/\\]/.test(folder));
}

/** Whether a file is there that may be executed. */
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

/** An environment variable; an empty one counts as not set. */
function setting(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}
