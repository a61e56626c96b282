import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, the longest first; what waits most of its time stands before what computes. */
const longest = [
  "e2e/hosts",
  "agent/settings-restart",
  "e2e/own-server",
  "e2e/development",
  "e2e/refresh",
  "agent/pg-hba",
  "faults/faults",
  "agent/month",
  "agent/backup",
  "agent/offsite",
  "agent/verify",
  "e2e/access",
  "e2e/faults",
  "agent/formats",
  "agent/disk",
  "e2e/three-servers",
  "agent/damaged",
  "agent/point-in-time",
  "agent/swap",
  "agent/pg-hba-load",
  "e2e/backups",
  "agent/roles",
  "agent/overdue",
  "tools/base-image",
];

/** Runs the longest files first, so that none of them is left to run alone at the end; and what needs no engine before all. */
export default class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId, project }: TestSpecification): number => {
      const name = relative(`${project.config.root}/test`, moduleId).replace(/\.test\.ts$/, "");
      const at = longest.indexOf(name);
      return at < 0 ? longest.length : at;
    };
    const order = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    return sorted.sort((a, b) => order(a) - order(b) || place(a) - place(b));
  }
}
