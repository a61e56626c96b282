import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, toolsFolder } from "./folders";
import { ensurePrivateFolder } from "./private-folder";
import { versions } from "./versions";

/**
 * The Node executable of the server image: npm's build, which `tools/bootstrap.sh` installs to the same folder on machines
 * whose own is too old. Debian's build needs four times the CPU time to start, and every call of the agent starts it.
 */
export function imageNode(): string {
  const node = join(ensurePrivateFolder(cacheFolder()), `node-${versions.node}`, "bin", "node");
  if (!existsSync(node)) downloadNode();
  return node;
}

function downloadNode(): void {
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  // The script says what is wrong, and with which file.
  const { status } = spawnSync("bash", [toolsFolder("fetch-node.sh"), versions.node, arch], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error(`cannot download Node ${versions.node} for the server image`);
}
