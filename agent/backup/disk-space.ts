import { statfs } from "node:fs/promises";
import { backupReserve } from "../../model/backup/backup-space";
import { formatBytes } from "../../model/base/units";
import { AgentError } from "../system/errors";
import { repositoryFolder } from "../repository/stored-backup";

/** Milliseconds between checks of the free space. */
const intervalMilliseconds = 500;

/** Bytes of the backup volume that a backup may use. */
export async function freeBackupBytes(): Promise<number> {
  const { bavail, blocks, bsize } = await statfs(repositoryFolder);
  return Math.max(0, bavail * bsize - backupReserve(blocks * bsize));
}

/** Calls `stop` when the backup volume is nearly full; returns a function that ends the watch. */
export function watchFreeSpace(stop: (reason: Error) => void): () => void {
  const check = async (): Promise<void> => {
    if ((await freeBackupBytes()) > 0) return;
    const { bavail, bsize } = await statfs(repositoryFolder);
    stop(
      new AgentError(
        `stopped with ${formatBytes(bavail * bsize)} left, before the disk was full: no space left on device`,
      ),
    );
  };
  const timer = setInterval(() => void check().catch(() => undefined), intervalMilliseconds);
  return () => {
    clearInterval(timer);
  };
}
