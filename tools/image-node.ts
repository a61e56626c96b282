import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./folders";
import { versions } from "./versions";

/**
 * The Node executable of the server image: npm's build, which `tools/bootstrap.sh` installs to the same folder on machines
 * whose own is too old. Debian's build needs four times the CPU time to start, and every call of the agent starts it.
 */
export function imageNode(): string {
  const folder = join(cacheFolder(), `node-${versions.node}`);
  const node = join(folder, "bin", "node");
  if (!existsSync(node)) downloadNode(folder);
  return node;
}

function downloadNode(folder: string): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const partial = mkdtempSync(join(cacheFolder(), "node.partial-"));
  const name = `node-linux-${process.arch === "arm64" ? "arm64" : "x64"}`;
  const quiet = ["--no-fund", "--no-audit", "--ignore-scripts", "--silent"];
  try {
    // --force: npm rejects the package on other operating systems, but it runs in the image.
    const args = ["install", "--force", "--prefix", partial, ...quiet, `${name}@${versions.node}`];
    execFileSync("npm", args, { stdio: ["ignore", "ignore", "inherit"] });
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(partial, "node_modules", name), folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
