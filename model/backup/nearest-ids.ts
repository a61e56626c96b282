import { parseBackupId, type BackupId } from "../base/names";

/** The three ids that are nearest in time to the given one. */
export function nearestIds(given: BackupId, ids: readonly BackupId[]): BackupId[] {
  const time = (id: BackupId): number => parseBackupId(id)?.getTime() ?? 0;
  const distance = (id: BackupId): number => Math.abs(time(id) - time(given));
  return [...new Set(ids)]
    .sort((a, b) => distance(a) - distance(b) || a.localeCompare(b))
    .slice(0, 3);
}
