import { rm, writeFile } from "node:fs/promises";
import { archiveGapAlert } from "../../model/backup/alerts";
import type { BackupsRequest } from "../../model/backup/protocol";
import { sendArchivingAlert, sendOverdueAlert } from "./alerts/overdue-alert";
import { sendAlert } from "./alerts/send";
import { now } from "../system/clock";
import { messageOf } from "../system/errors";
import { logLine } from "../system/progress";
import { readOverdueReasons } from "../jobs/overdue";
import { readArchiveProblems } from "../recovery/archive/archive-problems";
import { readBackupCatalogue } from "../repository/repository";
import { readSchedule } from "../jobs/schedule";

/** `stagecraft-agent health` (images/stagecraft-agent) prints this file and fails while it exists. */
const overdueFile = "/tmp/stagecraft-overdue";

/** What was found last, by what is watched: a check that fails keeps it. */
const found = { backups: [] as readonly string[], archiving: [] as readonly string[] };

/** Whether a check is running: one may wait for a mail server for longer than a minute. */
let isChecking = false;

/**
 * Checks whether backups are overdue and whether WAL is archived; if not, the container becomes unhealthy and an alert is
 * sent. Each is on its own: a check or an alert that fails does not stop the other.
 */
export async function checkOverdueBackups(server: string): Promise<void> {
  if (isChecking) return;
  isChecking = true;
  try {
    const request = await readSchedule().catch(() => undefined);
    await attempt("check whether backups are overdue", async () => {
      found.backups = await readOverdueReasons(request, await readBackupCatalogue(), now());
    });
    await attempt("check whether WAL is archived", async () => {
      found.archiving = (await readArchiveProblems(server)) ?? found.archiving;
    });
    // First, because an alert may take a while.
    await attempt("write the health of the backups", writeHealth);
    const alerts = request?.alerts;
    if (!alerts) return;
    // One after the other, because both are saved in one file.
    await attempt("send the overdue alert", async () =>
      sendOverdueAlert(alerts, server, found.backups, now()),
    );
    await attempt("send the alert about WAL archiving", async () =>
      sendArchivingAlert(alerts, server, found.archiving, now()),
    );
  } finally {
    isChecking = false;
  }
}

/** Sends an alert that WAL was discarded. */
export async function alertArchiveGap(server: string, since: Date): Promise<void> {
  await attempt("send the alert about a gap in the archive", async () => {
    const request: BackupsRequest | undefined = await readSchedule();
    if (request?.alerts) await sendAlert(request.alerts, archiveGapAlert(server, since, now()));
  });
}

async function writeHealth(): Promise<void> {
  const lines = [
    ...(found.backups.length > 0 ? [`backups are overdue: ${found.backups.join("; ")}`] : []),
    ...found.archiving,
  ];
  if (lines.length > 0) await writeFile(overdueFile, `${lines.join("\n")}\n`);
  else await rm(overdueFile, { force: true });
}

async function attempt(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logLine(`cannot ${what}: ${messageOf(error)}`);
  }
}
