/** How the bytes of a dump file are packed. */
export type Compression = "none" | "gzip" | "bzip2" | "zstd" | "xz" | "lz4";
/** What pg_dump's `-F` made. */
export type DumpKind = "plain" | "custom" | "tar" | "directory";

/** How many bytes of a file's head are enough to recognise it. */
export const headBytes = 16_384;
/** How many bytes of a file's tail are enough to see that a plain dump is complete. */
export const tailBytes = 4_096;

const signatures: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
];

/** The compression that the first bytes of a file tell of, whatever its name says. */
export function recogniseCompression(head: Buffer): Compression {
  return signatures.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0] ?? "none";
}

/** What the first bytes of an uncompressed dump are, or `undefined` when they are no dump. */
export function recogniseKind(head: Buffer): Exclude<DumpKind, "directory"> | undefined {
  if (head.subarray(0, 5).toString("latin1") === "PGDMP") return "custom";
  if (head.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  return plainHeader.test(head.toString("latin1")) ? "plain" : undefined;
}

// Windows editors put a byte order mark before UTF-8.
const plainHeader = /^(?:\xef\xbb\xbf)?--\r?\n-- PostgreSQL database dump\r?$/m;
const clusterHeader = /^-- PostgreSQL database cluster dump\r?$/m;
const plainFooter = /^-- PostgreSQL database dump complete\r?$/m;

/** The facts of a dump file that are cheap to read. */
export interface DumpFileFacts {
  readonly name: string;
  readonly bytes: number;
  /** The first {@link headBytes} bytes. */
  readonly head: Buffer;
  /** The last {@link tailBytes} bytes. */
  readonly tail: Buffer;
}

/** Why a file cannot be restored, with the fix, or `undefined` when nothing speaks against it so far. */
export function dumpFileProblem({ name, bytes, head, tail }: DumpFileFacts): string | undefined {
  if (bytes === 0)
    return `${name} is empty: the disk was full or pg_dump failed; take the dump again`;
  if (recogniseCompression(head) !== "none") return undefined;
  return contentProblem(name, head, tail);
}

/** The same for the uncompressed contents; `tail` is absent while they are still being read. */
export function contentProblem(name: string, head: Buffer, tail?: Buffer): string | undefined {
  const text = head.toString("latin1");
  if (clusterHeader.test(text)) {
    return `${name} is a dump of a whole cluster (pg_dumpall); give the dump of one database, made with pg_dump`;
  }
  const kind = recogniseKind(head);
  if (/^(?:\xff\xfe|\xfe\xff)/.test(text)) {
    return `${name} is in UTF-16, as PowerShell's > writes it; take the dump again with pg_dump --file`;
  }
  if (kind === undefined) {
    return `${name} is not a dump that pg_dump made: it begins with ${quoteHead(head)}; give a plain, custom, tar or directory dump`;
  }
  if (kind === "plain" && tail && !plainFooter.test(tail.toString("latin1")))
    return truncatedProblem(name);
  return undefined;
}

/** What is said of a plain dump without its closing comment. */
export function truncatedProblem(name: string): string {
  return `${name} is cut short: the closing line "-- PostgreSQL database dump complete" is missing; take or copy it again`;
}

/** Why a folder cannot be restored, or `undefined`. */
export function dumpFolderProblem(name: string, fileNames: readonly string[]): string | undefined {
  if (fileNames.length === 0)
    return `${name} is an empty folder; give a dump made with pg_dump -F d`;
  if (fileNames.some((file) => /^toc\.dat$/.test(file))) return undefined;
  return `${name} is a folder without toc.dat, so not a dump made with pg_dump -F d; give one, or name a file`;
}

function quoteHead(head: Buffer): string {
  const text = head.subarray(0, 24).toString("latin1");
  return /^[\x20-\x7e\r\n\t]*$/.test(text)
    ? JSON.stringify(text)
    : `bytes ${head.subarray(0, 8).toString("hex")}`;
}
