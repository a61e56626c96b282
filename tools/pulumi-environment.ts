import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { contextEnvironment } from "./docker-context";
import { cacheFolder } from "./folders";
import { nodeFolder } from "./node-runtime";
import { pulumiFolder } from "./pulumi-cli";

/** The environment of Pulumi in a project folder; the same as `pulumi-launcher.sh` sets. */
export function pulumiEnvironment(projectFolder: string): NodeJS.ProcessEnv {
  const own: NodeJS.ProcessEnv = {
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Pulumi would download a missing plugin without comparing a checksum.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    ...userName(),
    // Saves half a second per run of a program.
    NODE_COMPILE_CACHE: join(cacheFolder(), "compiled"),
    // Pulumi and its plugins run for seconds: frequent garbage collection would take a tenth of their CPU time.
    GOGC: "400",
    ...backend(projectFolder),
    ...runner(projectFolder),
  };
  const PATH = [pulumiFolder(), nodeFolder(), process.env["PATH"] ?? ""].join(delimiter);
  return { ...own, ...process.env, ...contextEnvironment(), PATH, ...passphrase(projectFolder) };
}

/** Pulumi requires USER if the user id has no account, as in the containers of CI runners. */
export function userName(): NodeJS.ProcessEnv {
  return { USER: `uid-${String(process.getuid?.() ?? "")}` };
}

function passphrase(folder: string): NodeJS.ProcessEnv {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
  const file = join(folder, ".stagecraft", "passphrase");
  if (PULUMI_CONFIG_PASSPHRASE !== undefined || PULUMI_CONFIG_PASSPHRASE_FILE !== undefined) {
    return {};
  }
  return existsSync(file) ? { PULUMI_CONFIG_PASSPHRASE_FILE: file } : {};
}

/** Lets Pulumi start programs with `program/run.js`, which is faster than the SDK's own runner. */
function runner(folder: string): NodeJS.ProcessEnv {
  const path = join(folder, "program", "run.js");
  return existsSync(path) ? { PULUMI_LANGUAGE_NODEJS_RUN_PATH: path } : {};
}

/** Pulumi resolves a relative backend in Pulumi.yaml against the current folder; we resolve it against the project's. */
function backend(folder: string): NodeJS.ProcessEnv {
  const project = join(folder, "Pulumi.yaml");
  if (!existsSync(project)) return {};
  const path = /^\s+url:\s*["']?file:\/\/\.\/([^\s"']+)/m.exec(readFileSync(project, "utf8"))?.[1];
  return path === undefined ? {} : { PULUMI_BACKEND_URL: `file://${join(folder, path)}` };
}
