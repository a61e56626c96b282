import { rmSync, writeFileSync } from "node:fs";
import { removePartialBackups } from "./remove-partial-backups";
import { checkOverdueBackups } from "./check-overdue";
import { dropLeftovers } from "../postgres/databases";
import { messageOf } from "../system/errors";
import { serveMetrics } from "./metrics/serve-metrics";
import { rollBackInterruptedChange } from "../server/pg-hba/apply";
import { maintainArchive } from "../recovery/archive/maintain-archive";
import { serveJobs } from "./jobs/serve-jobs";
import { withConnection } from "../postgres/connect";
import { logLine } from "../system/progress";
import { removeAllFetched } from "../restore/source/fetch-offsite";
import { removeRestoreRole } from "../restore/import/restore-role";
import { removeExpiredInstance } from "../recovery/instance/remove";
import { renewCertificate } from "../server/tls/renew";

/** Read by `stagecraft-agent health` (images/stagecraft-agent), which wants it newer than 15 s. */
const heartbeatFile = "/tmp/stagecraft-heartbeat";
const heartbeatSeconds = 5;
const tidySeconds = 60;
const archiveSeconds = 15;
const renewSeconds = 86_400;
const watchSeconds = 60;

/** The container's main process: shows that it lives, runs the jobs of its schedule, tells of backups that are overdue, clears up after what was interrupted, and renews the certificate. */
export function serve(server: string): void {
  logLine(`agent of server ${server} is running`);
  const timers = [
    setInterval(writeHeartbeat, heartbeatSeconds * 1000),
    setInterval(() => void tidy(server), tidySeconds * 1000),
    setInterval(() => void maintainArchive(server), archiveSeconds * 1000),
    setInterval(() => void renewCertificate(server), renewSeconds * 1000),
    setInterval(() => void checkOverdueBackups(server), watchSeconds * 1000),
  ];
  // With the container that ended, its restores have ended too.
  void removeAllFetched().catch(debugLog);
  const stopJobs = serveJobs();
  writeHeartbeat();
  void tidy(server);
  void renewCertificate(server);
  void checkOverdueBackups(server);
  void maintainArchive(server);
  serveMetrics(server);
  const stop = (): void => {
    timers.forEach((timer) => {
      clearInterval(timer);
    });
    rmSync(heartbeatFile, { force: true });
    void stopJobs().finally(() => process.exit(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

function writeHeartbeat(): void {
  writeFileSync(heartbeatFile, "");
}

async function tidy(server: string): Promise<void> {
  try {
    const aside = await removeExpiredInstance();
    if (aside !== undefined) logLine(aside);
  } catch (error) {
    logLine(`the side cluster of ${server} could not be removed yet: ${messageOf(error)}`);
  }
  try {
    const dropped = await withConnection("postgres", async (client) => {
      const names = await dropLeftovers(client);
      await removeRestoreRole(client);
      for (const id of await removePartialBackups(client))
        logLine(`removed ${id}, left by a killed backup`);
      return names;
    });
    for (const name of dropped) logLine(`dropped ${name}, left behind by an interrupted restore`);
    if (await rollBackInterruptedChange()) logLine("took back rules whose change was interrupted");
  } catch (error) {
    // PostgreSQL may be starting or stopped; the next round tries again.
    debugLog(error);
  }
}

function debugLog(error: unknown): void {
  if (process.env.STAGECRAFT_DEBUG !== undefined) logLine(messageOf(error));
}
