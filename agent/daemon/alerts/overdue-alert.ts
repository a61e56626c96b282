import path from "node:path";
import { z } from "zod";
import {
  channels,
  carries,
  overdueAlert,
  type Alert,
  type AlertsConfig,
} from "../../../model/backup/alerts";
import { stateFolder, writeStateFile } from "../../system/state-folder";
import { readTextIfExists } from "../../system/atomic-file";
import { sendAlert } from "./send";

/** In the agent's volume: a restart does not tell everybody again. */
const file = "alerts.json";

const stateSchema = z.strictObject({
  /** Whether the last thing that was to be told is that backups are overdue. */
  overdue: z.boolean(),
  /** The channels that have been told so. */
  told: z.array(z.enum(channels)),
});
type State = z.infer<typeof stateSchema>;

/**
 * Tells people once when backups become overdue, and once when they are good again. A channel that does not take it is
 * tried again the next time, and nobody hears of an end without having heard of the beginning.
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
  if (!overdue && !before.overdue && before.told.length === 0) return;
  const alert = overdueAlert(server, reasons, now);
  const told = before.told.filter((channel) => settings[channel]);
  const open = openChannels(settings, alert, told);
  if (open.length === 0 && before.overdue === overdue && told.length === before.told.length) return;
  const taken = await send(settings, alert, open);
  const state: State = overdue
    ? { overdue, told: [...told, ...taken] }
    : {
        overdue,
        told: told.filter((channel) => carries(channel, alert) && !taken.includes(channel)),
      };
  await writeStateFile(file, JSON.stringify(state));
}

function openChannels(settings: AlertsConfig, alert: Alert, told: State["told"]) {
  const isOpen = alert.event === "overdue" ? (t: boolean) => !t : (t: boolean) => t;
  return channels.filter(
    (channel) => settings[channel] && carries(channel, alert) && isOpen(told.includes(channel)),
  );
}

async function readState(): Promise<State> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  const parsed = text === undefined ? undefined : stateSchema.safeParse(JSON.parse(text)).data;
  return parsed ?? { overdue: false, told: [] };
}
