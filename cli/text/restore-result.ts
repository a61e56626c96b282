import type { RestoreResult } from "../../model/restore/protocol";

/** Result of a restore, printed below its update: `timesheets ← pg_dump….sql   passed`. */
export function restoreText({ text }: RestoreResult): string {
  return text
    .trim()
    .split("\n")
    .map((line) => `     ${line}`)
    .join("\n");
}

/** Whether a restore swapped in a previous version that had the requested contents. */
export function isRolledBack({ result }: RestoreResult): boolean {
  return result === "brought back";
}
