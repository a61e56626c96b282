import { parseBackupId, type BackupId } from "../base/names";

/** The three ids whose moments are nearest to a wanted one. */
export function nearestIds(wanted: BackupId, ids: readonly BackupId[]): BackupId[] {
  const moment = (id: BackupId): number => parseBackupId(id)?.getTime() ?? 0;
  const away = (id: BackupId): number => Math.abs(moment(id) - moment(wanted));
  return [...new Set(ids)].sort((a, b) => away(a) - away(b) || a.localeCompare(b)).slice(0, 3);
}
