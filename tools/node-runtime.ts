import { dirname } from "node:path";
import { cacheFolder } from "./folders";
import { type CheckResult, type Requirement, RequirementError } from "./requirement";
import { isAtLeast, versions } from "./versions";

/** The folder to add to PATH so that Pulumi uses the same Node as this process. */
export function nodeFolder(): string {
  return dirname(process.execPath);
}

/**
 * A Node version that Pulumi supports: the system's, or npm's build of it in the user's cache. `tools/bootstrap.sh`
 * installs the latter, because our own code requires the same version.
 */
export const nodeRuntime: Requirement = {
  name: "Node 22",

  check(): Promise<CheckResult> {
    if (isAtLeast(process.versions.node, versions.oldestNode)) {
      const detail = nodeFolder().startsWith(cacheFolder()) ? "from cache" : "system";
      return Promise.resolve({ ok: true, detail });
    }
    return Promise.resolve({
      ok: false,
      detail: `this is Node ${process.versions.node}, Pulumi needs ${versions.oldestNode} or newer`,
      fix: "npm start   (downloads it)",
    });
  },

  async ensure(): Promise<string> {
    const finding = await nodeRuntime.check();
    if (finding.ok) return finding.detail;
    throw new RequirementError(finding.detail, finding.fix);
  },
};
