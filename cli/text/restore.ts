import type { RestoreResult } from "../../model/protocol";

/** What became of a restore, under the update that did it: `timesheets ← pg_dump….sql   passed`. */
export function restoreText({ database, source, text }: RestoreResult): string {
  const lines = text.trim().split("\n");
  return [`${database} ← ${source.name}   ${lines[0] ?? ""}`, ...lines.slice(1)]
    .map((line) => `     ${line}`)
    .join("\n");
}
