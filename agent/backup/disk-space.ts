import { statfs } from "node:fs/promises";
import { backupReserve } from "../../model/backup/backup-space";
import { formatBytes } from "../../model/base/units";
import { AgentError } from "../system/errors";
import { repositoryFolder } from "../repository/repository";

/** Milliseconds between two looks at the disk. */
const intervalMilliseconds = 500;

/** Bytes that a backup may take of the volume. */
export async function freeBackupBytes(): Promise<number> {
  const { bavail, blocks, bsize } = await statfs(repositoryFolder);
  return Math.max(0, bavail * bsize - backupReserve(blocks * bsize));
}

/** Calls `stop` when the volume of the backups is nearly full; the caller ends the watch. */
export function watchFreeSpace(stop: (reason: Error) => void): () => void {
  const look = async (): Promise<void> => {
    if ((await freeBackupBytes()) > 0) return;
    const { bavail, bsize } = await statfs(repositoryFolder);
    stop(
      new AgentError(
        `stopped with ${formatBytes(bavail * bsize)} left, before the disk was full: no space left on device`,
      ),
    );
  };
  const timer = setInterval(() => void look().catch(() => undefined), intervalMilliseconds);
  return () => {
    clearInterval(timer);
  };
}
