import { parseBytes } from "../base/units";

/** S3 allows this many parts per file; a part less of each thousand leaves room for the estimate of the size. */
const maxParts = 9000;
/** The smallest part of S3, and rclone's default. */
const minPartBytes = 5 * 2 ** 20;

/** Factors of rclone's size suffixes; a number without one is in KiB. */
const factors: Readonly<Record<string, number>> = {
  b: 1,
  "": 2 ** 10,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/** Parses an rclone size such as `64Mi`, `64M` or `5120`; `undefined` if it has another form. */
function parseRcloneSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]?)(?:ib?)?$/i.exec(text.trim());
  const factor = factors[match?.[2]?.toLowerCase() ?? "?"];
  return match && factor !== undefined ? Number(match[1]) * factor : undefined;
}

/**
 * The part size for uploading so many bytes to S3, in MiB, if the configured `chunk_size` does not do: rclone does not know
 * the size of what it reads from stdin, and S3 limits the number of parts. `undefined` if the configured one does.
 */
export function s3PartMegabytes(bytes: number, configured: string | undefined): number | undefined {
  const needed = Math.max(minPartBytes, Math.ceil(bytes / maxParts));
  const chosen = configured === undefined ? undefined : parseRcloneSize(configured);
  // A value that rclone itself rejects is left to it, so that its error is shown.
  if (configured !== undefined && (chosen === undefined || chosen >= needed)) return undefined;
  return Math.ceil(needed / 2 ** 20);
}

/** Parses a bandwidth such as `10 MB/s` into bytes per second; `undefined` if the text has another form. */
export function parseBandwidth(text: string): number | undefined {
  const match = /^(.+?)\s*\/\s*s$/.exec(text.trim());
  return match ? parseBytes(match[1] ?? "") : undefined;
}
