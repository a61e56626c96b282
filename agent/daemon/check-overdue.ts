import { rm, writeFile } from "node:fs/promises";
import { sendOverdueAlert } from "./alerts/overdue-alert";
import { now } from "../system/clock";
import { messageOf } from "../system/errors";
import { logLine } from "../system/progress";
import { readOverdueReasons } from "../jobs/overdue";
import { readBackupCatalogue } from "../repository/repository";
import { readSchedule } from "../jobs/schedule";

/** `stagecraft-agent health` (images/stagecraft-agent) prints this file and fails while it exists. */
const overdueFile = "/tmp/stagecraft-overdue";

/** Checks whether backups are overdue; if so, the container becomes unhealthy and an alert is sent. */
export async function checkOverdueBackups(server: string): Promise<void> {
  try {
    const request = await readSchedule();
    const reasons = await readOverdueReasons(request, await readBackupCatalogue(), now());
    if (reasons.length > 0)
      await writeFile(overdueFile, `backups are overdue: ${reasons.join("; ")}\n`);
    else await rm(overdueFile, { force: true });
    if (request?.alerts) await sendOverdueAlert(request.alerts, server, reasons, now());
  } catch (error) {
    logLine(`cannot check whether backups are overdue: ${messageOf(error)}`);
  }
}
