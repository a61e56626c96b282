import { dirname } from "node:path";
import { cacheFolder } from "./folders";
import { type Finding, type Requirement, RequirementError } from "./requirement";
import { isAtLeast, versions } from "./versions";

/** The folder to put on PATH so that Pulumi finds the Node that we run on. */
export function nodeFolder(): string {
  return dirname(process.execPath);
}

/**
 * Node as Pulumi wants it: the system's, or npm's build of it in the user's cache. It is `tools/bootstrap.sh` that
 * fetches the latter, since nothing of ours runs on an older one.
 */
export const nodeRuntime: Requirement = {
  name: "Node 22",

  check(): Promise<Finding> {
    if (isAtLeast(process.versions.node, versions.oldestNode)) {
      const detail = nodeFolder().startsWith(cacheFolder()) ? "from cache" : "system";
      return Promise.resolve({ ok: true, detail });
    }
    return Promise.resolve({
      ok: false,
      detail: `this is Node ${process.versions.node}, Pulumi needs ${versions.oldestNode} or newer`,
      fix: "npm start   (fetches one for itself)",
    });
  },

  async ensure(): Promise<string> {
    const finding = await nodeRuntime.check();
    if (finding.ok) return finding.detail;
    throw new RequirementError(finding.detail, finding.fix);
  },
};
