import path from "node:path";
import { channelStatesSchema, type ChannelStates } from "../../../model/backup/channel-states";
import type { Channel } from "../../../model/backup/alerts";
import { now } from "../../system/clock";
import { readTextIfExists } from "../../system/atomic-file";
import { stateFolder, writeStateFile } from "../../system/state-folder";

const file = "alert-channels.json";

/** The last result of each channel; empty when nothing was sent yet, or it cannot be read. */
export async function readChannelStates(): Promise<ChannelStates> {
  const text = await readTextIfExists(path.join(stateFolder, file)).catch(() => undefined);
  try {
    return channelStatesSchema.parse(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

/** One record after another: the channels send concurrently. */
let saving: Promise<void> = Promise.resolve();

/** Records that a channel has accepted an alert, or why it did not. */
export async function recordSending(channel: Channel, problem: string | undefined): Promise<void> {
  saving = saving
    .catch(() => undefined)
    .then(async () => {
      const states = await readChannelStates();
      const before = states[channel];
      const failures = (before?.failures ?? 0) + (problem === undefined ? 0 : 1);
      const state = { at: now().toISOString(), failures, problem: problem ?? null };
      await writeStateFile(file, JSON.stringify({ ...states, [channel]: state }));
    });
  await saving;
}
