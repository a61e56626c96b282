import { z } from "zod";
import { backupIdSchema } from "../backup/backup-id";
import { nearestIds } from "../backup/nearest-ids";
import { offsiteSourceSchema } from "./offsite-source";
import { parseBackupId, type BackupId } from "../base/names";

/** stdout of `stagecraft-agent backups-at-hand`: the backups that a refresh can choose from, oldest first. */
export const availableBackupsSchema = z.array(
  z.strictObject({
    id: backupIdSchema,
    /** The server it was taken from. */
    server: z.string(),
    databases: z.array(z.string()),
    /** Whether a restore has proven it. */
    verified: z.boolean(),
  }),
);
/** stdin of `stagecraft-agent copies-at-hand`, which prints the same of off-site copies. */
export const availableCopiesRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  offsite: offsiteSourceSchema,
});

export type AvailableBackups = z.infer<typeof availableBackupsSchema>;

/** What of the backups at hand is meant: the id, or the sentence that tells why there is none. */
export type BackupChoice = { readonly backup: BackupId } | { readonly problem: string };

/**
 * Chooses a backup: an id, or `latest` for the newest that a restore has proven. `acceptUnverified` lets `latest` be any.
 */
export function chooseBackup(
  wanted: string,
  backups: AvailableBackups,
  acceptUnverified = false,
): BackupChoice {
  const ids = backups.map(({ id }) => id);
  if (wanted === "latest") {
    const latest = backups.filter(({ verified }) => verified || acceptUnverified).at(-1);
    if (latest) return { backup: latest.id };
    const why =
      backups.length === 0
        ? "there is no backup yet"
        : `none of the ${backups.length} backups has been proven by a restore yet`;
    return { problem: `no latest backup: ${why}` };
  }
  if (parseBackupId(wanted) === undefined) {
    const problem = `must be a backup id like 20261121T032900Z, or latest, got "${wanted}"`;
    return { problem: `--backup ${problem}` };
  }
  if (ids.includes(wanted)) return { backup: wanted };
  const nearest =
    ids.length === 0
      ? "there is none at all"
      : `the nearest: ${nearestIds(wanted, ids).join(", ")}`;
  return { problem: `there is no backup ${wanted}; ${nearest}` };
}
