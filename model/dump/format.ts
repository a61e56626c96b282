/** Compression of a dump file. */
export type Compression = "none" | "gzip" | "bzip2" | "zstd" | "xz" | "lz4";
/** Format of a dump: pg_dump's option `-F`. */
export type DumpKind = "plain" | "custom" | "tar" | "directory";

/** Number of bytes at the beginning of a file that are needed to detect its format. */
export const headBytes = 16_384;
/** Number of bytes at the end of a file that are needed to detect whether a plain dump is complete. */
export const tailBytes = 4_096;

const signatures: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
];

/** Detects the compression of a file by its first bytes, not by its name. */
export function detectCompression(head: Buffer): Compression {
  return signatures.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0] ?? "none";
}

/** Detects the format of an uncompressed dump by its first bytes; `undefined` when it is not a dump. */
export function detectDumpKind(head: Buffer): Exclude<DumpKind, "directory"> | undefined {
  if (head.subarray(0, 5).toString("latin1") === "PGDMP") return "custom";
  if (head.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  return plainHeader.test(head.toString("latin1")) ? "plain" : undefined;
}

// Windows editors add a byte order mark to UTF-8.
const plainHeader = /^(?:\xef\xbb\xbf)?--\r?\n-- PostgreSQL database dump\r?$/m;
const clusterHeader = /^-- PostgreSQL database cluster dump\r?$/m;
const plainFooter = /^-- PostgreSQL database dump complete\r?$/m;

/** Properties of a dump file that are cheap to read. */
export interface DumpFileFacts {
  readonly name: string;
  readonly bytes: number;
  /** The first {@link headBytes} bytes. */
  readonly head: Buffer;
  /** The last {@link tailBytes} bytes. */
  readonly tail: Buffer;
}

/** Why a file cannot be restored, with the fix; `undefined` when no problem is known yet. */
export function dumpFileProblem({ name, bytes, head, tail }: DumpFileFacts): string | undefined {
  if (bytes === 0) return `${name} is empty: the disk was full or pg_dump failed; repeat the dump`;
  if (detectCompression(head) !== "none") return undefined;
  return contentProblem(name, head, tail);
}

/** The same for uncompressed contents; `tail` is omitted while they are being read. */
export function contentProblem(name: string, head: Buffer, tail?: Buffer): string | undefined {
  const text = head.toString("latin1");
  if (clusterHeader.test(text)) {
    return `${name} is a dump of a whole cluster (pg_dumpall); use a dump of one database, created with pg_dump`;
  }
  const kind = detectDumpKind(head);
  if (/^(?:\xff\xfe|\xfe\xff)/.test(text)) {
    return `${name} is UTF-16, as written by > in PowerShell; repeat the dump with pg_dump --file`;
  }
  if (kind === undefined) {
    return `${name} is not a dump of pg_dump: it begins with ${quoteHead(head)}; use a plain, custom, tar or directory dump`;
  }
  if (kind === "plain" && tail && !plainFooter.test(tail.toString("latin1")))
    return truncatedProblem(name);
  return undefined;
}

/** The problem of a plain dump without its closing comment. */
export function truncatedProblem(name: string): string {
  return `${name} is truncated: the closing line "-- PostgreSQL database dump complete" is missing; dump or copy it again`;
}

/** Why a folder cannot be restored, with the fix; `undefined` when no problem is known yet. */
export function dumpFolderProblem(name: string, fileNames: readonly string[]): string | undefined {
  if (fileNames.length === 0)
    return `${name} is an empty folder; use a dump created with pg_dump -F d`;
  if (fileNames.some((file) => /^toc\.dat$/.test(file))) return undefined;
  return `${name} is a folder without toc.dat, so not a dump of pg_dump -F d; use one, or a file`;
}

function quoteHead(head: Buffer): string {
  const text = head.subarray(0, 24).toString("latin1");
  return /^[\x20-\x7e\r\n\t]*$/.test(text)
    ? JSON.stringify(text)
    : `bytes ${head.subarray(0, 8).toString("hex")}`;
}
