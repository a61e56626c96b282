import { z } from "zod";
import { parseBackupId } from "../base/names";

/** A backup id: the time of the backup in UTC, `20261122T032900Z`. */
export const backupIdSchema = z.string().refine((id) => parseBackupId(id) !== undefined, {
  error: "must be a backup id like 20261121T032900Z",
});
