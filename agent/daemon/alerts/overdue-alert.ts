import path from "node:path";
import { z } from "zod";
import {
  channels,
  carries,
  overdueAlert,
  type Alert,
  type AlertsConfig,
  type Channel,
} from "../../../model/backup/alerts";
import { stateFolder, writeStateFile } from "../../system/state-folder";
import { readTextIfExists } from "../../system/atomic-file";
import { sendAlert } from "./send";

/** In the agent's volume, so that a restart does not send the alert again. */
const file = "alerts.json";

/** Contents of the file; `told` are the notified channels. */
const stateSchema = z.strictObject({
  overdue: z.boolean(),
  told: z.array(z.enum(channels)),
});

interface State {
  /** Whether backups were overdue at the last check. */
  readonly overdue: boolean;
  /** The channels that received the overdue alert and not yet its resolution. */
  readonly notified: readonly Channel[];
}

/**
 * Sends one alert when backups become overdue, and one when they no longer are. A channel that fails is tried again at
 * the next check. A channel that did not receive the first alert does not receive the second.
 */
export async function sendOverdueAlert(
  settings: AlertsConfig,
  server: string,
  reasons: readonly string[],
  now: Date,
  send: typeof sendAlert = sendAlert,
): Promise<void> {
  const before = await readState();
  const overdue = reasons.length > 0;
  if (!overdue && !before.overdue && before.notified.length === 0) return;
  const alert = overdueAlert(server, reasons, now);
  const notified = before.notified.filter((channel) => settings[channel]);
  const pending = pendingChannels(settings, alert, notified);
  const isUnchanged = before.overdue === overdue && notified.length === before.notified.length;
  if (pending.length === 0 && isUnchanged) return;
  const sent = await send(settings, alert, pending);
  await saveState({
    overdue,
    notified: overdue
      ? [...notified, ...sent]
      : notified.filter((channel) => carries(channel, alert) && !sent.includes(channel)),
  });
}

/** Channels that this alert has to be sent to. */
function pendingChannels(
  settings: AlertsConfig,
  alert: Alert,
  notified: readonly Channel[],
): Channel[] {
  const isOverdue = alert.event === "overdue";
  return channels.filter(
    (channel) =>
      settings[channel] && carries(channel, alert) && notified.includes(channel) !== isOverdue,
  );
}

async function readState(): Promise<State> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  const parsed = text === undefined ? undefined : stateSchema.safeParse(JSON.parse(text)).data;
  return { overdue: parsed?.overdue ?? false, notified: parsed?.told ?? [] };
}

async function saveState({ overdue, notified }: State): Promise<void> {
  await writeStateFile(file, JSON.stringify({ overdue, told: notified }));
}
