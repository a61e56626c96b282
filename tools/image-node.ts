import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./folders";
import { versions } from "./versions";

/**
 * The Node that goes into the server image: npm's build of it, as `tools/bootstrap.sh` fetches it for machines whose own is
 * too old, and into the same place. Debian's starts in four times the CPU time, and every call of the agent is a start.
 */
export function imageNode(): string {
  const folder = join(cacheFolder(), `node-${versions.node}`);
  const node = join(folder, "bin", "node");
  if (!existsSync(node)) fetchNode(folder);
  return node;
}

function fetchNode(folder: string): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const partial = mkdtempSync(join(cacheFolder(), "node.partial-"));
  const name = `node-linux-${process.arch === "arm64" ? "arm64" : "x64"}`;
  const quiet = ["--no-fund", "--no-audit", "--ignore-scripts", "--silent"];
  try {
    // Also on a machine of another system: it is for the image, not for here.
    const args = ["install", "--force", "--prefix", partial, ...quiet, `${name}@${versions.node}`];
    execFileSync("npm", args, { stdio: ["ignore", "ignore", "inherit"] });
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(partial, "node_modules", name), folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
