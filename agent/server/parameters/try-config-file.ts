import path from "node:path";
import { parameterWarnings, startupErrors } from "../../../model/parameters/startup-errors";
import { askScratch } from "../../postgres/scratch/client";
import { readTextIfExists } from "../../system/atomic-file";
import { AgentError } from "../../system/errors";
import { configFiles } from "./config-files";
import { readConfigurationFiles } from "./data-folder-files";

/**
 * Starts PostgreSQL in the scratch container with copies of the server's configuration files, one of them replaced by a
 * candidate, and connects to it. The server itself is not involved.
 *
 * @param file The file to replace: `stagecraft.conf` or `stagecraft-tls.conf`.
 * @returns PostgreSQL's error; `undefined` when it starts.
 */
export async function tryConfigFile(file: string, candidate: string): Promise<string | undefined> {
  const files = await readConfigurationFiles();
  const main = (await readTextIfExists(configFiles.postgresql)) ?? "";
  if (!main.includes(`'${path.basename(file)}'`)) {
    throw new AgentError(
      `PostgreSQL does not include ${path.basename(file)}: ${configFiles.postgresql} has no line for it; restart its container, which adds the line`,
    );
  }
  files[file] = Buffer.from(candidate).toString("base64");
  const { stderr, started, rejection, exit } = await askScratch({
    task: "try configuration",
    files,
    file: configFiles.postgresql,
  });
  return started ? parameterWarnings(stderr) : (rejection ?? (startupErrors(stderr) || exit));
}
