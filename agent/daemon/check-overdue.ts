import { rm, writeFile } from "node:fs/promises";
import { sendOverdueAlert } from "./alerts/overdue-alert";
import { now } from "../system/clock";
import { messageOf } from "../system/errors";
import { logLine } from "../system/progress";
import { readOverdueReasons } from "../jobs/overdue";
import { readCatalogue } from "../repository/repository";
import { readSchedule } from "../jobs/schedule";

/** Shown by `stagecraft-agent health` (images/stagecraft-agent), which fails while it is there. */
const overdueFile = "/tmp/stagecraft-overdue";

/** Looks whether backups are overdue: the container's health shows it, and people are told. */
export async function checkOverdueBackups(server: string): Promise<void> {
  try {
    const request = await readSchedule();
    const late = await readOverdueReasons(request, await readCatalogue(), now());
    if (late.length > 0) await writeFile(overdueFile, `backups are overdue: ${late.join("; ")}\n`);
    else await rm(overdueFile, { force: true });
    if (request?.alerts) await sendOverdueAlert(request.alerts, server, late, now());
  } catch (error) {
    logLine(`could not look whether backups are overdue: ${messageOf(error)}`);
  }
}
