import { rmSync, writeFileSync } from "node:fs";
import { removePartialBackups } from "./remove-partial-backups";
import { checkOverdueBackups } from "./check-overdue";
import { dropLeftovers } from "../postgres/databases";
import { restoreAcceptedRules } from "../server/pg-hba/accepted-rules";
import { messageOf } from "../system/errors";
import { serveMetrics } from "./metrics/serve-metrics";
import { rollBackInterruptedChange } from "../server/pg-hba/apply";
import { maintainArchive } from "../recovery/archive/maintain-archive";
import { serveJobs } from "./jobs/serve-jobs";
import { isExternal } from "../postgres/external-connection";
import { withOwnDatabase } from "../postgres/own-database";
import { canConfine } from "../system/confine";
import { logLine } from "../system/progress";
import { removeAllFetched } from "../restore/source/fetch-offsite";
import { dropUnusedLogins } from "../postgres/restricted-login";
import { beginSigning } from "../repository/own-trust";
import { removeExpiredInstance } from "../recovery/instance/remove";
import { renewCertificate } from "../server/tls/renew";

/** `stagecraft-agent health` (images/stagecraft-agent) fails when this file is older than 15 s. */
const heartbeatFile = "/tmp/stagecraft-heartbeat";
const heartbeatSeconds = 5;
const cleanUpSeconds = 60;
const archiveSeconds = 15;
const renewSeconds = 86_400;
const overdueSeconds = 60;
const rulesSeconds = 5;

/**
 * The container's main process: writes the heartbeat, runs scheduled jobs, checks for overdue backups, maintains the WAL
 * archive, cleans up after interrupted work, serves metrics, and renews the certificate.
 */
export function serve(server: string): void {
  logLine(`agent of server ${server} is running`);
  if (!isExternal && !canConfine())
    logLine(
      "this kernel has no Landlock (Linux 5.13): base backups and recovery instances are not confined",
    );
  const timers = [
    setInterval(writeHeartbeat, heartbeatSeconds * 1000),
    setInterval(() => void cleanUp(server), cleanUpSeconds * 1000),
    setInterval(() => void maintainArchive(server), archiveSeconds * 1000),
    setInterval(() => void renewCertificate(server), renewSeconds * 1000),
    setInterval(() => void checkOverdueBackups(server), overdueSeconds * 1000),
    setInterval(() => void restoreAcceptedRules(), rulesSeconds * 1000),
  ];
  // Restores of the previous container have ended with it.
  void removeAllFetched().catch(debugLog);
  const stopJobs = serveJobs();
  writeHeartbeat();
  void beginSigning().catch(debugLog);
  void cleanUp(server);
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

/** Removes what interrupted restores, backups and changes left behind. */
async function cleanUp(server: string): Promise<void> {
  try {
    const removed = await removeExpiredInstance();
    if (removed !== undefined) logLine(removed);
  } catch (error) {
    logLine(`cannot remove the recovery instance of ${server} yet: ${messageOf(error)}`);
  }
  try {
    const dropped = await withOwnDatabase(async (client) => {
      const names = await dropLeftovers(client);
      await dropUnusedLogins(client);
      for (const id of await removePartialBackups(client))
        logLine(`removed ${id}, left behind by a killed backup`);
      return names;
    });
    for (const name of dropped) logLine(`dropped ${name}, left behind by an interrupted restore`);
    if (await rollBackInterruptedChange())
      logLine("rolled back an interrupted change of pg_hba.conf");
  } catch (error) {
    // PostgreSQL may be starting or stopped; the next run tries again.
    debugLog(error);
  }
}

function debugLog(error: unknown): void {
  if (process.env.STAGECRAFT_DEBUG !== undefined) logLine(messageOf(error));
}
