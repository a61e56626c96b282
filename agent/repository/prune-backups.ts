import type { Pin } from "../../model/backup/catalogue";
import { databasesText, newestVerifiedByDatabase } from "../../model/backup/backed-up-databases";
import { defaultRetention } from "../../model/backup/retention-policy";
import { applyRetention, type RetentionDecision } from "../../model/backup/retention";
import type { BackupId } from "../../model/base/names";
import { AgentError } from "../system/errors";
import { logLine } from "../system/progress";
import { readBackupCatalogue, removeBackup } from "./repository";
import { readSchedule } from "../jobs/schedule";

/** What the applied retention rules say of each backup, oldest first. */
export async function evaluateRetention(
  pins: readonly Pin[],
  now: Date,
): Promise<RetentionDecision[]> {
  const schedule = await readSchedule().catch(() => undefined);
  const catalogue = await readBackupCatalogue([
    ...pins,
    ...additionalPins(schedule?.pins ?? [], pins),
  ]);
  return applyRetention(catalogue, schedule?.keep ?? defaultRetention, { now });
}

/** Removes the backups that no rule retains, and logs each; the removed ids. */
export async function pruneBackups(pins: readonly Pin[], now: Date): Promise<BackupId[]> {
  const judgements = await evaluateRetention(pins, now);
  const expired = judgements.filter(({ keep }) => !keep);
  // The rules never remove the last verified backup of a database; this guards against a fault in them.
  const catalogue = await readBackupCatalogue();
  const remaining = catalogue.filter(({ id }) => !expired.some((judgement) => judgement.id === id));
  const kept = newestVerifiedByDatabase(remaining, now);
  const lost = [...newestVerifiedByDatabase(catalogue, now).keys()].filter(
    (name) => !kept.has(name),
  );
  if (lost.length > 0) {
    const of = databasesText(lost) === "" ? "" : ` of ${databasesText(lost)}`;
    throw new AgentError(`no backup was removed: the rules would leave no verified one${of}`);
  }
  for (const { id, why } of expired) {
    await removeBackup(id);
    logLine(`removed backup ${id}: ${why}`);
  }
  return expired.map(({ id }) => id);
}

/** Pins in `more` that are not in `known`. */
function additionalPins(more: readonly Pin[], known: readonly Pin[]): Pin[] {
  return more.filter(
    ({ backup, by }) => !known.some((pin) => pin.backup === backup && pin.by === by),
  );
}
