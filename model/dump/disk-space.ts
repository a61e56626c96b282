import { formatBytes } from "../base/units";
import type { Compression, DumpKind } from "./format";

/** Ratio of database size, including indexes, to dump size by compression; measured with dumps of business data. */
const growth: Readonly<Record<Compression, number>> = {
  none: 1.3,
  lz4: 3,
  gzip: 5,
  zstd: 5,
  bzip2: 6,
  xz: 7,
};

/** pg_dump compresses archives with gzip by default. */
const archiveGrowth = growth.gzip;

/** Bytes that a restore leaves free: WAL, and so every database of the server, needs some space. */
export const reservedBytes = 128 * 2 ** 20;

/** Estimated disk space for a restore, in bytes. */
export function neededBytes(dump: {
  readonly bytes: number;
  readonly kind: DumpKind;
  readonly compression: Compression;
}): number {
  const isCompressedArchive = dump.kind === "custom" || dump.kind === "directory";
  const factor =
    dump.compression !== "none"
      ? growth[dump.compression]
      : isCompressedArchive
        ? archiveGrowth
        : growth.none;
  return Math.round(dump.bytes * factor) + reservedBytes;
}

/** Why there is not enough disk space for a restore, with the fix; `undefined` when there is. */
export function spaceProblem(name: string, needed: number, free: number): string | undefined {
  if (needed <= free) return undefined;
  return `${name} needs about ${formatBytes(needed)} on PostgreSQL's volume, which has ${formatBytes(free)} free; free some space or move the volume to a larger disk`;
}
