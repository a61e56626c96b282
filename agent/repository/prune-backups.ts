import type { Pin } from "../../model/backup/catalogue";
import { isVerified } from "../../model/backup/catalogue";
import { defaultRetention } from "../../model/backup/retention-policy";
import { applyRetention, type RetentionDecision } from "../../model/backup/retention";
import type { BackupId } from "../../model/base/names";
import { AgentError } from "../system/errors";
import { logLine } from "../system/progress";
import { readCatalogue, removeBackup } from "./repository";
import { readSchedule } from "../jobs/schedule";

/** What the rules in force say of each backup, oldest first. */
export async function evaluateRetention(
  pins: readonly Pin[],
  now: Date,
): Promise<RetentionDecision[]> {
  const schedule = await readSchedule().catch(() => undefined);
  const catalogue = await readCatalogue([...pins, ...additionalPins(schedule?.pins ?? [], pins)]);
  return applyRetention(catalogue, schedule?.keep ?? defaultRetention, { now });
}

/** Removes what no rule keeps, and says so; the removed ones. */
export async function pruneBackups(pins: readonly Pin[], now: Date): Promise<BackupId[]> {
  const judged = await evaluateRetention(pins, now);
  const gone = judged.filter(({ keep }) => !keep);
  const good = (await readCatalogue()).filter(isVerified).map(({ id }) => id);
  // Whatever the rules say: this is the last line of defence, and must never be reached.
  if (good.length > 0 && good.every((id) => gone.some((judgement) => judgement.id === id))) {
    throw new AgentError("no backup was removed: the rules would leave no verified one");
  }
  for (const { id, why } of gone) {
    await removeBackup(id);
    logLine(`removed backup ${id}: ${why}`);
  }
  return gone.map(({ id }) => id);
}

/** A stack that is known twice is named once. */
function additionalPins(more: readonly Pin[], known: readonly Pin[]): Pin[] {
  return more.filter(
    ({ backup, by }) => !known.some((pin) => pin.backup === backup && pin.by === by),
  );
}
