import type { JobResult } from "../../model/backup/protocol";

/** What `stagecraft backup` prints of a created backup. */
export function backupText(stack: string, { text }: JobResult): string {
  // It is verified once it has been restored.
  return `     ${text} · unverified\n     list        npx stagecraft backups ${stack}`;
}

/** What `stagecraft backup` prints of a failure. */
export function backupFailure({ text }: JobResult): string {
  return text;
}

/** What `stagecraft backup --json` prints. */
export function backupJson(result: JobResult): string {
  return JSON.stringify(result, null, 2);
}
