import type { JobResult } from "../../model/backup/protocol";

/** What `stagecraft backup` prints of a backup that was made. */
export function backupText(stack: string, { text }: JobResult): string {
  // It counts when it has been restored once.
  return `     ${text} · unverified\n     all of them: npx stagecraft backups ${stack}`;
}

/** What it prints of one that was not. */
export function backupFailure({ text }: JobResult): string {
  return text;
}

/** What `stagecraft backup --json` prints. */
export function backupJson(result: JobResult): string {
  return JSON.stringify(result, null, 2);
}
