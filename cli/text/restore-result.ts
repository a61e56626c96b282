import type { RestoreResult } from "../../model/restore/protocol";

/** What became of a restore, under the update that did it: `timesheets ← pg_dump….sql   passed`. */
export function restoreText({ text }: RestoreResult): string {
  return text
    .trim()
    .split("\n")
    .map((line) => `     ${line}`)
    .join("\n");
}
