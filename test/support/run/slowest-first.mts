import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, the longest first; those that compute among those that wait. */
export const longest = [
  "test/faults/faults.test.ts",
  "test/kills/pulumi.story.test.ts",
  "test/load/many.test.ts",
  "test/load/oracle.test.ts",
  "test/security/shadows.story.test.ts",
  "test/security/every-kind.test.ts",
  "test/machines/hosts.test.ts",
  "test/kills/engine.story.test.ts",
  "test/machines/own-server.test.ts",
  "test/e2e/refresh.test.ts",
  "test/agent/backup/backup.test.ts",
  "test/agent/daemon/month-of-backups.test.ts",
  "test/agent/offsite/offsite.story.test.ts",
  "test/e2e/development.test.ts",
  "test/agent/server/pg-hba.test.ts",
  "test/agent/server/parameters-restart.test.ts",
  "test/agent/recovery/archive.story.test.ts",
  "test/agent/verify/verify.test.ts",
  "test/agent/restore/damaged-dumps.test.ts",
  "test/agent/restore/case-files.test.ts",
  "test/e2e/faults.test.ts",
  "test/e2e/three-servers.test.ts",
  "test/agent/restore/dump-formats.test.ts",
  "test/e2e/access.test.ts",
  "test/agent/daemon/overdue.story.test.ts",
  "test/agent/recovery/point-in-time.test.ts",
  "test/agent/restore/refresh.story.test.ts",
  "test/e2e/backups.test.ts",
  "test/agent/restore/swap.test.ts",
  "test/agent/server/parameters.test.ts",
  "test/agent/server/external.story.test.ts",
  "test/agent/server/roles.test.ts",
];

/** What has no engine to wait for, and so fills the gaps at the end. */
const quick = new Set(["unit", "components"]);

/** Runs the longest files first, so that none of them is left to run alone at the end. */
export default class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId, project }: TestSpecification): number => {
      if (quick.has(project.name)) return longest.length + 1;
      const at = longest.indexOf(relative(project.config.root, moduleId));
      return at < 0 ? longest.length : at;
    };
    return sorted.sort((a, b) => place(a) - place(b));
  }
}
