import { z } from "zod";
import { backupIdSchema } from "../backup/backup-id";
import { nearestIds } from "../backup/nearest-ids";
import { offsiteSourceSchema } from "./offsite-source";
import { parseBackupId, type BackupId } from "../base/names";

/** stdout of `stagecraft-agent backups-at-hand`: the backups available for a refresh, oldest first. */
export const availableBackupsSchema = z.array(
  z.strictObject({
    id: backupIdSchema,
    /** The server that the backup was made from. */
    server: z.string(),
    databases: z.array(z.string()),
    /** Whether it was verified by a restore. */
    verified: z.boolean(),
  }),
);
/** stdin of `stagecraft-agent copies-at-hand`, which lists off-site copies in the same form. */
export const availableCopiesRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  offsite: offsiteSourceSchema,
});

export type AvailableBackups = z.infer<typeof availableBackupsSchema>;

/** The chosen backup, or the reason why there is none. */
export type BackupChoice = { readonly backup: BackupId } | { readonly problem: string };

/**
 * Chooses a backup: by id, or the newest verified one for `latest`. With `acceptUnverified`, `latest` may be unverified.
 * If any backup contains `database`, `latest` is one that does: another job may have made a newer one of other databases.
 */
export function chooseBackup(
  request: string,
  backups: AvailableBackups,
  acceptUnverified = false,
  database?: string,
): BackupChoice {
  const ids = backups.map(({ id }) => id);
  if (request === "latest") {
    const containing = backups.filter(
      ({ databases }) => database !== undefined && databases.includes(database),
    );
    const usable = containing.length > 0 ? containing : backups;
    const latest = usable.filter(({ verified }) => verified || acceptUnverified).at(-1);
    if (latest) return { backup: latest.id };
    const of = containing.length > 0 ? ` of ${database ?? ""}` : "";
    const why =
      backups.length === 0
        ? "there is no backup yet"
        : `none of the ${usable.length} backups${of} has been verified by a restore yet`;
    return { problem: `no latest backup: ${why}` };
  }
  if (parseBackupId(request) === undefined) {
    const problem = `must be a backup id like 20261121T032900Z, or latest, got "${request}"`;
    return { problem: `--backup ${problem}` };
  }
  if (ids.includes(request)) return { backup: request };
  const nearest =
    ids.length === 0
      ? "there are no backups"
      : `the nearest: ${nearestIds(request, ids).join(", ")}`;
  return { problem: `there is no backup ${request}; ${nearest}` };
}
