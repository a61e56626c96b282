import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, the longest first; those that compute among those that wait. */
const longest = [
  "faults/faults",
  "kills/pulumi",
  "load/many",
  "machines/hosts",
  "kills/engine",
  "machines/own-server",
  "e2e/refresh",
  "agent/backup/backup",
  "agent/daemon/month-of-backups",
  "agent/offsite/offsite",
  "e2e/development",
  "agent/server/pg-hba",
  "agent/server/parameters-restart",
  "agent/recovery/archive",
  "agent/verify/verify",
  "agent/restore/damaged-dumps",
  "e2e/faults",
  "e2e/three-servers",
  "agent/restore/dump-formats",
  "e2e/access",
  "agent/daemon/overdue",
  "agent/recovery/point-in-time",
  "agent/restore/refresh",
  "e2e/backups",
  "agent/restore/swap",
  "agent/server/parameters",
  "agent/server/external",
  "agent/server/roles",
];

/** What has no engine to wait for, and so fills the gaps at the end. */
const quick = new Set(["unit", "components"]);

/** Runs the longest files first, so that none of them is left to run alone at the end. */
export default class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId, project }: TestSpecification): number => {
      if (quick.has(project.name)) return longest.length + 1;
      const name = relative(`${project.config.root}/test`, moduleId).replace(/\.test\.ts$/, "");
      const at = longest.indexOf(name);
      return at < 0 ? longest.length : at;
    };
    return sorted.sort((a, b) => place(a) - place(b));
  }
}
