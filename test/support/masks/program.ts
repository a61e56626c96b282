/** Runs inside the agent's container, bundled by masks.ts: masks and defuses a database of a test. */
import { text } from "node:stream/consumers";
import { runDefuse } from "../../../agent/prepare/defuse/run";
import { messageOf } from "../../../agent/system/errors";
import { applyMasks, checkMasks } from "../../../agent/prepare/masks/apply";
import type { MasksJob, MasksOutcome } from "./run-masks";

async function main(): Promise<MasksOutcome> {
  const { database, masks, key, defuse } = JSON.parse(await text(process.stdin)) as MasksJob;
  const outcome: MasksOutcome = {};
  if (masks) {
    const { problems, plan } = await checkMasks(database, masks, key);
    Object.assign(outcome, { problems, plan });
    if (plan) outcome.masked = await applyMasks(database, plan, key);
  }
  if (defuse) outcome.defused = await runDefuse(database, defuse);
  return outcome;
}

void main()
  .catch((error: unknown): MasksOutcome => ({ error: messageOf(error) }))
  .then((outcome) => process.stdout.write(JSON.stringify(outcome)));
