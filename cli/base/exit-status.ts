import { alignColumns } from "./table";

/** Exit statuses of the CLI. Verbs that run another program, such as `psql`, pass on its status instead. */
export const exitStatus = { done: 0, failed: 1, rejected: 2, unhealthy: 3 } as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

const meanings: Readonly<Record<ExitStatus, string>> = {
  [exitStatus.done]: "done, or nothing to do",
  [exitStatus.failed]: "failed; nothing was changed",
  [exitStatus.rejected]: "wrong input, or rejected before anything was changed",
  [exitStatus.unhealthy]: "changed, but incomplete or not healthy afterwards",
};

/** The table of exit statuses in `stagecraft --help`. */
export function exitStatusHelp(): string {
  return ["Exit status:", ...alignColumns(Object.entries(meanings), "  ")].join("\n");
}
