import { formatBytes } from "../base/units";
import type { BackupCompression } from "./manifest";

/** Minimum size of a dump per byte of its database, including indexes; used if there is no previous backup. */
const minimumRatio: Readonly<Record<BackupCompression, number>> = {
  zstd: 0.05,
  lz4: 0.1,
  gzip: 0.05,
  bzip2: 0.05,
  none: 0.3,
};

/** A previous backup, for estimating the size of the next one. */
export interface PreviousBackup {
  readonly databases: readonly {
    readonly name: string;
    readonly compression: BackupCompression;
    /** Size of the database at that time. */
    readonly bytes: number;
  }[];
  /** Size of the backup. */
  readonly bytes: number;
}

/** Estimated size of a backup in bytes: scaled from the previous backup of the same databases, else the expected minimum. */
export function neededBackupBytes(
  databases: readonly { readonly name: string; readonly bytes: number }[],
  compression: BackupCompression,
  previous: PreviousBackup | undefined,
): number {
  const total = databases.reduce((sum, { bytes }) => sum + bytes, 0);
  const isComparable =
    previous?.databases.length === databases.length &&
    previous.databases.every(
      (one) => one.compression === compression && databases.some(({ name }) => name === one.name),
    );
  if (!isComparable) return Math.round(total * minimumRatio[compression]);
  const before = previous.databases.reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.round(previous.bytes * Math.max(1, total / Math.max(before, 1)));
}

/** Bytes of the volume that a backup leaves free, for the record of its result. */
export function backupReserve(volumeBytes: number): number {
  return Math.min(64 * 2 ** 20, Math.round(volumeBytes / 50));
}

/** Why there is not enough space to start a backup; `undefined` if there is. */
export function backupSpaceProblem(needed: number, free: number): string | undefined {
  if (needed <= free) return undefined;
  return `the backup needs about ${formatBytes(needed)}, but only ${formatBytes(free)} are free on the backups volume: no space left on device`;
}
