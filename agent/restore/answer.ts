import type { RestoreResult } from "../../model/restore/protocol";
import { summarizeRestore } from "../../model/restore/summary";
import { shortenWholeBackup } from "../../model/restore/whole-backup";

/** The report of a restore as the agent answers it: with a summary only, because Pulumi's command takes no long lines. */
export function restoreAnswer(report: RestoreResult): RestoreResult {
  const { verdict, prepared, others, ...answer } = report;
  return {
    ...answer,
    ...(prepared && { summary: summarizeRestore(prepared) }),
    // The rest is in the text.
    ...(others && {
      others: { ...shortenWholeBackup(others), roles: [], differences: [] },
    }),
  };
}
