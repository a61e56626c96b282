import path from "node:path";
import { z } from "zod";
import {
  channels,
  carries,
  type Alert,
  type AlertsConfig,
  type Channel,
} from "../../../model/backup/alerts";
import { stateFolder, writeStateFile } from "../../system/state-folder";
import { readTextIfExists } from "../../system/atomic-file";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { sendAlert } from "./send";

/** In the agent's volume, so that a restart does not send the alert again. */
const file = "alerts.json";

const stateShape = {
  /** Whether it was bad at the last check. */
  overdue: z.boolean(),
  /** The channels that received the alert and not yet its resolution. */
  told: z.array(z.enum(channels)),
  /** The reasons of that alert, without numbers; absent in an earlier version. */
  reasons: z.array(z.string()).optional(),
};
const stateSchema = z.strictObject(stateShape);
type State = z.infer<typeof stateSchema>;

/** Contents of the file: the state of backups, and that of WAL archiving. */
const fileSchema = z.strictObject({ ...stateShape, archiving: stateSchema.optional() });
type States = z.infer<typeof fileSchema>;

const good: State = { overdue: false, told: [] };

/** What is watched, each with alerts of its own. */
export type Watched = "backups" | "archiving";

/** When a channel that does not accept an alert is tried again. */
interface Retry {
  readonly failures: number;
  readonly at: number;
}
const firstRetryMilliseconds = 60_000;
const lastRetryMilliseconds = 3_600_000;
const retries = new Map<string, Retry>();

/** What could not be saved: with a full volume, an alert must not be sent once a minute. */
let unsaved: States | undefined;

/** An alert about something that is watched. */
export interface StateAlert {
  readonly watched: Watched;
  /** Why it is bad, a sentence each; empty when it is good. */
  readonly reasons: readonly string[];
  readonly alert: Alert;
  readonly now: Date;
}

/**
 * Sends one alert when something becomes bad, another one for each further reason, and one when it is good again. Each
 * channel is on its own: one that fails is tried again, first after a minute and then after longer pauses, and one that did
 * not receive the first alert does not receive the last.
 */
export async function sendStateAlert(
  settings: AlertsConfig,
  { watched, reasons, alert, now }: StateAlert,
  send: typeof sendAlert = sendAlert,
): Promise<void> {
  const states = await readStates();
  const before = watched === "backups" ? states : (states.archiving ?? good);
  const isBad = reasons.length > 0;
  if (!isBad && !before.overdue && before.told.length === 0) return;
  const kinds = reasons.map(kindOf);
  const isNew = isBad && kinds.some((kind) => !(before.reasons ?? kinds).includes(kind));
  const told = before.told.filter((channel) => settings[channel] && !isNew);
  const pending = channels.filter(
    (channel) => settings[channel] && carries(channel, alert) && told.includes(channel) !== isBad,
  );
  const due = pending.filter((channel) => isDue(`${watched} ${isBad} ${channel}`, now));
  const isUnchanged =
    before.overdue === isBad &&
    told.length === before.told.length &&
    !isNew &&
    kinds.length === (before.reasons ?? kinds).length;
  if (due.length === 0 && isUnchanged) return;
  const sent = due.length === 0 ? [] : await send(settings, alert, due);
  for (const channel of due) note(`${watched} ${isBad} ${channel}`, sent.includes(channel), now);
  const after: State = {
    overdue: isBad,
    told: isBad
      ? [...told, ...sent]
      : told.filter((channel) => carries(channel, alert) && !sent.includes(channel)),
    ...(isBad && { reasons: kinds }),
  };
  const { overdue, told: channelsTold, reasons: kindsTold, archiving } = states;
  const own = { overdue, told: channelsTold, ...(kindsTold && { reasons: kindsTold }) };
  await saveStates(
    watched === "backups"
      ? { ...after, ...(archiving && { archiving }) }
      : { ...own, archiving: after },
  );
}

/** A reason without ages and times, so that it is the same one tomorrow. */
function kindOf(reason: string): string {
  return reason.replace(/\d[\d.:,-]*(?:\s?(?:s|min|h|d|ms|[kMGT]?B)\b)?/g, "#").slice(0, 200);
}

function isDue(key: string, now: Date): boolean {
  const retry = retries.get(key);
  return (
    retry === undefined ||
    now.getTime() >= retry.at ||
    now.getTime() < retry.at - lastRetryMilliseconds
  );
}

function note(key: string, isSent: boolean, now: Date): void {
  const failures = (retries.get(key)?.failures ?? 0) + 1;
  const pause = Math.min(firstRetryMilliseconds * 2 ** (failures - 1), lastRetryMilliseconds);
  if (isSent) retries.delete(key);
  else retries.set(key, { failures, at: now.getTime() + pause });
}

async function readStates(): Promise<States> {
  if (unsaved) return unsaved;
  try {
    const text = await readTextIfExists(path.join(stateFolder, file));
    return text === undefined ? good : fileSchema.parse(JSON.parse(text));
  } catch {
    // Damaged: the alert is sent once more.
    return good;
  }
}

async function saveStates(states: States): Promise<void> {
  try {
    await writeStateFile(file, JSON.stringify(states));
    unsaved = undefined;
  } catch (error) {
    unsaved = states;
    logLine(`cannot save which alerts were sent: ${messageOf(error)}`);
  }
}
