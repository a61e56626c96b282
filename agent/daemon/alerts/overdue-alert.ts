import { archivingAlert, overdueAlert, type AlertsConfig } from "../../../model/backup/alerts";
import type { sendAlert } from "./send";
import { sendStateAlert } from "./state-alert";

/** Sends an alert when backups become overdue, and when they no longer are. */
export async function sendOverdueAlert(
  settings: AlertsConfig,
  server: string,
  reasons: readonly string[],
  now: Date,
  send?: typeof sendAlert,
): Promise<void> {
  const alert = overdueAlert(server, reasons, now);
  await sendStateAlert(settings, { watched: "backups", reasons, alert, now }, send);
}

/** Sends an alert when WAL archiving fails, and when it works again. */
export async function sendArchivingAlert(
  settings: AlertsConfig,
  server: string,
  reasons: readonly string[],
  now: Date,
  send?: typeof sendAlert,
): Promise<void> {
  const alert = archivingAlert(server, reasons, now);
  await sendStateAlert(settings, { watched: "archiving", reasons, alert, now }, send);
}
