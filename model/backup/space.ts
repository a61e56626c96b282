import { formatBytes } from "../base/units";
import type { BackupCompression } from "./manifest";

/** Bytes of a dump for each byte of its database, indexes included: what a backup needs at least when none is there to go by. */
const least: Readonly<Record<BackupCompression, number>> = {
  zstd: 0.05,
  lz4: 0.1,
  gzip: 0.05,
  bzip2: 0.05,
  none: 0.3,
};

/** A backup that was made before, as far as it tells how large the next one will be. */
export interface FormerBackup {
  readonly databases: readonly {
    readonly name: string;
    readonly compression: BackupCompression;
    /** Size of the database then. */
    readonly bytes: number;
  }[];
  /** Size of the backup. */
  readonly bytes: number;
}

/** Bytes that a backup will need, roughly: as much as the last one of the same databases, or what is the least to expect. */
export function neededBackupBytes(
  databases: readonly { readonly name: string; readonly bytes: number }[],
  compression: BackupCompression,
  former: FormerBackup | undefined,
): number {
  const total = databases.reduce((sum, { bytes }) => sum + bytes, 0);
  const isLike =
    former?.databases.length === databases.length &&
    former.databases.every(
      (one) => one.compression === compression && databases.some(({ name }) => name === one.name),
    );
  if (!isLike) return Math.round(total * least[compression]);
  const before = former.databases.reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.round(former.bytes * Math.max(1, total / Math.max(before, 1)));
}

/** Bytes that a backup leaves free of a volume: what became of it must still find room there. */
export function backupReserve(volumeBytes: number): number {
  return Math.min(64 * 2 ** 20, Math.round(volumeBytes / 50));
}

/** Why a backup is not begun for lack of space, or `undefined`. */
export function backupSpaceProblem(needed: number, free: number): string | undefined {
  if (needed <= free) return undefined;
  return `the backup needs about ${formatBytes(needed)}, and ${formatBytes(free)} are free where backups are kept: no space left on device`;
}
