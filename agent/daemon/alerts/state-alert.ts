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

/** Contents of the file; `told` are the notified channels. */
const stateShape = {
  overdue: z.boolean(),
  told: z.array(z.enum(channels)),
  /** The reasons of that alert, without numbers; absent in an earlier version. */
  reasons: z.array(z.string()).optional(),
};
const stateSchema = z.strictObject(stateShape);

/** The state of backups, and that of WAL archiving. */
const fileSchema = z.strictObject({ ...stateShape, archiving: stateSchema.optional() });

/** The state of something that is watched. */
interface State {
  /** Whether it was bad at the last check. */
  readonly isBad: boolean;
  /** The channels that received the alert and not yet its resolution. */
  readonly notified: readonly Channel[];
  /** The reasons of that alert, without numbers; `undefined` if an earlier version sent it. */
  readonly reasons: readonly string[] | undefined;
}
type States = Readonly<Record<Watched, State>>;

const good: State = { isBad: false, notified: [], reasons: undefined };

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
  const before = states[watched];
  const isBad = reasons.length > 0;
  if (!isBad && !before.isBad && before.notified.length === 0) return;
  const kinds = reasons.map(kindOf);
  const known = before.reasons ?? kinds;
  const isNew = isBad && kinds.some((kind) => !known.includes(kind));
  const notified = before.notified.filter((channel) => settings[channel] && !isNew);
  const pending = channels.filter(
    (channel) =>
      settings[channel] && carries(channel, alert) && notified.includes(channel) !== isBad,
  );
  const due = pending.filter((channel) => isDue(`${watched} ${isBad} ${channel}`, now));
  const isUnchanged =
    before.isBad === isBad &&
    notified.length === before.notified.length &&
    kinds.length === known.length;
  if (due.length === 0 && isUnchanged) return;
  const sent = due.length === 0 ? [] : await send(settings, alert, due);
  for (const channel of due) note(`${watched} ${isBad} ${channel}`, sent.includes(channel), now);
  const left = notified.filter((channel) => carries(channel, alert) && !sent.includes(channel));
  await saveStates({
    ...states,
    [watched]: isBad
      ? { isBad, notified: [...notified, ...sent], reasons: kinds }
      : { isBad, notified: left, reasons: undefined },
  });
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
    if (text === undefined) return { backups: good, archiving: good };
    const { archiving, ...backups } = fileSchema.parse(JSON.parse(text));
    return { backups: parsed(backups), archiving: archiving ? parsed(archiving) : good };
  } catch {
    // Damaged: the alert is sent once more.
    return { backups: good, archiving: good };
  }
}

async function saveStates(states: States): Promise<void> {
  const { backups, archiving } = states;
  try {
    const stored = { ...rendered(backups), archiving: rendered(archiving) };
    await writeStateFile(file, JSON.stringify(stored));
    unsaved = undefined;
  } catch (error) {
    unsaved = states;
    logLine(`cannot save which alerts were sent: ${messageOf(error)}`);
  }
}

function parsed({ overdue, told: notified, reasons }: z.infer<typeof stateSchema>): State {
  return { isBad: overdue, notified, reasons };
}

function rendered({ isBad, notified, reasons }: State): object {
  return { overdue: isBad, told: notified, ...(reasons && { reasons }) };
}
