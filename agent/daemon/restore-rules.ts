import { restoreAcceptedRules } from "../server/pg-hba/accepted-rules";
import { messageOf } from "../system/errors";
import { logLine } from "../system/progress";

let isRunning = false;

/**
 * While PostgreSQL does not run because it rejects `pg_hba.conf`, restores the last rules that it used. The engine then starts
 * it again.
 */
export async function restoreRules(): Promise<void> {
  if (isRunning) return;
  isRunning = true;
  try {
    const restored = await restoreAcceptedRules();
    if (restored !== undefined) logLine(restored);
  } catch (error) {
    // The scratch container may be starting; the next run tries again.
    if (process.env.STAGECRAFT_DEBUG !== undefined) logLine(messageOf(error));
  } finally {
    isRunning = false;
  }
}
