import type { Pin } from "../../model/backup/catalogue";
import { isVerified } from "../../model/backup/catalogue";
import { defaultKeep } from "../../model/backup/retention-rules";
import { forget, type Judgement } from "../../model/backup/retention";
import type { BackupId } from "../../model/base/names";
import { AgentError } from "../system/errors";
import { say } from "../system/progress";
import { readCatalogue, removeBackup } from "./repository";
import { readSchedule } from "../jobs/schedule";

/** What the rules in force say of each backup, oldest first. */
export async function judgeBackups(pins: readonly Pin[], now: Date): Promise<Judgement[]> {
  const schedule = await readSchedule().catch(() => undefined);
  const catalogue = await readCatalogue([...pins, ...newPins(schedule?.pins ?? [], pins)]);
  return forget(catalogue, schedule?.keep ?? defaultKeep, { now });
}

/** Removes what no rule keeps, and says so; the removed ones. */
export async function forgetOld(pins: readonly Pin[], now: Date): Promise<BackupId[]> {
  const judged = await judgeBackups(pins, now);
  const gone = judged.filter(({ keep }) => !keep);
  const good = (await readCatalogue()).filter(isVerified).map(({ id }) => id);
  // Whatever the rules say: this is the last line of defence, and must never be reached.
  if (good.length > 0 && good.every((id) => gone.some((judgement) => judgement.id === id))) {
    throw new AgentError("no backup was removed: the rules would leave no verified one");
  }
  for (const { id, why } of gone) {
    await removeBackup(id);
    say(`removed backup ${id}: ${why}`);
  }
  return gone.map(({ id }) => id);
}

/** A stack that is known twice is named once. */
function newPins(more: readonly Pin[], known: readonly Pin[]): Pin[] {
  return more.filter(
    ({ backup, by }) => !known.some((pin) => pin.backup === backup && pin.by === by),
  );
}
