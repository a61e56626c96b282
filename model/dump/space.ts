import { formatBytes } from "../base/units";
import type { Compression, DumpKind } from "./format";

/** How many times larger the database is than a dump so packed; from dumps of business data, indexes included. */
const growth: Readonly<Record<Compression, number>> = {
  none: 1.3,
  lz4: 3,
  gzip: 5,
  zstd: 5,
  bzip2: 6,
  xz: 7,
};

/** pg_dump packs archives with gzip unless told otherwise. */
const archiveGrowth = growth.gzip;

/** Bytes that a restore leaves free: PostgreSQL's log, and so every database of the server, needs some room. */
export const reservedBytes = 128 * 2 ** 20;

/** Disk that a restore needs, roughly, in bytes. */
export function neededBytes(dump: {
  readonly bytes: number;
  readonly kind: DumpKind;
  readonly compression: Compression;
}): number {
  const packed = dump.kind === "custom" || dump.kind === "directory";
  const factor =
    dump.compression !== "none" ? growth[dump.compression] : packed ? archiveGrowth : growth.none;
  return Math.round(dump.bytes * factor) + reservedBytes;
}

/** Why a restore is not begun for lack of space, or `undefined`. */
export function spaceProblem(name: string, needed: number, free: number): string | undefined {
  if (needed <= free) return undefined;
  return `${name} needs about ${formatBytes(needed)} on PostgreSQL's volume, where ${formatBytes(free)} are free; free some space or move the volume to a larger disk`;
}
