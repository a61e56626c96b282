import { dumpMark, type DumpMark } from "./dump-marks";
import { packedTarProblem } from "./tar-members";

/** Compression of a dump file. */
export type Compression = "none" | "gzip" | "bzip2" | "zstd" | "xz" | "lz4";
/** Format of a dump: pg_dump's option `-F`. */
export type DumpKind = "plain" | "custom" | "tar" | "directory";

/** Number of bytes at the beginning of a file that are needed to detect its format. */
export const headBytes = 16_384;
const signatures: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  // Its legacy format: lz4 -l.
  ["lz4", [0x02, 0x21, 0x4c, 0x18]],
  // compress, which gzip unpacks.
  ["gzip", [0x1f, 0x9d]],
];

/** Detects the compression of a file by its first bytes, not by its name. */
export function detectCompression(head: Buffer): Compression {
  const start = head.subarray(behindSkippableFrames(head));
  return signatures.find(([, bytes]) => bytes.every((byte, i) => start[i] === byte))?.[0] ?? "none";
}

/** Programs such as pzstd write frames without contents first. Zstandard and LZ4 skip them alike (RFC 8878, 3.1.2). */
function behindSkippableFrames(head: Buffer): number {
  let at = 0;
  while (at + 8 <= head.length && head.readUInt32LE(at) >>> 4 === 0x184d2a5) {
    const next = at + 8 + head.readUInt32LE(at + 4);
    if (next >= head.length) return at;
    at = next;
  }
  return at;
}

/** Detects the format of an uncompressed dump by its first bytes; `undefined` when it is not a dump. */
export function detectDumpKind(head: Buffer): Exclude<DumpKind, "directory"> | undefined {
  if (head.subarray(0, 5).toString("latin1") === "PGDMP") return "custom";
  if (head.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  const text = head.toString("latin1");
  return plainHeader.test(text) || headless.test(text) || clusterHeader.test(text)
    ? "plain"
    : undefined;
}

/** Whether a file is a plain dump, uncompressed. */
export function isPlainFile(head: Buffer): boolean {
  return detectCompression(head) === "none" && detectDumpKind(head) === "plain";
}

/** Whether uncompressed contents are the dump of a whole cluster: several databases. */
export function isClusterDump(head: Buffer): boolean {
  return clusterHeader.test(head.toString("latin1"));
}

// Windows editors add a byte order mark to UTF-8.
const plainHeader = /^(?:\xef\xbb\xbf)?--\r?\n-- PostgreSQL database dump\r?$/m;
const clusterHeader = /^-- PostgreSQL database cluster dump\r?$/m;
/** What pg_dump writes next. Frameworks that keep the schema in a file remove the lines before it. */
const headless =
  /^(?:SET (?:client_encoding|standard_conforming_strings|check_function_bodies) = |SELECT pg_catalog\.set_config\('search_path'|-- (?:Data for )?Name: .*; Type: )/m;

/** Properties of a dump file that are cheap to read. */
export interface DumpFileFacts {
  readonly name: string;
  readonly bytes: number;
  /** The first {@link headBytes} bytes. */
  readonly head: Buffer;
}

/** Why a file cannot be restored, with the fix; `undefined` when no problem is known yet. */
export function dumpFileProblem({ name, bytes, head }: DumpFileFacts): string | undefined {
  if (bytes === 0) return `${name} is empty: the disk was full or pg_dump failed; repeat the dump`;
  return detectCompression(head) === "none" ? contentProblem(name, head) : undefined;
}

/** Packed files that no program here unpacks, by their first bytes. */
const packages: readonly (readonly [string, string, string])[] = [
  ["PK\x03\x04", "zip", "unzip"],
  ["7z\xbc\xaf\x27\x1c", "7z", "7z x"],
  ["Rar!\x1a\x07", "rar", "unrar x"],
  ["LZIP", "lzip", "lzip -d"],
];

/** The same for uncompressed contents. */
export function contentProblem(name: string, head: Buffer): string | undefined {
  const text = head.toString("latin1");
  if (/^(?:\xff\xfe|\xfe\xff)/.test(text)) {
    return `${name} is UTF-16, as written by > in PowerShell; repeat the dump with pg_dump --file`;
  }
  const packed = packages.find(([start]) => text.startsWith(start));
  if (packed) {
    const [, format, program] = packed;
    return `${name} is a ${format} file; unpack it (${program} ${name}) and set data.dump to the dump in it`;
  }
  const kind = detectDumpKind(head);
  if (kind === undefined) {
    return `${name} is not a dump of pg_dump: it begins with ${quoteHead(head)}; use a plain, custom, tar or directory dump`;
  }
  return kind === "tar" ? packedTarProblem(name, head) : undefined;
}

/** The last of the lines that mark the beginning and the end of a dump; `undefined` when there is none. */
export function lastMark(bytes: Buffer): DumpMark | undefined {
  const text = bytes.toString("latin1");
  for (
    let at = text.lastIndexOf(marked);
    at >= 0;
    at = at === 0 ? -1 : text.lastIndexOf(marked, at - 1)
  ) {
    const mark =
      at === 0 || text[at - 1] === "\n"
        ? dumpMark(text.slice(at, at + 80).split("\n")[0] ?? "")
        : undefined;
    if (mark !== undefined) return mark;
  }
  return undefined;
}

const marked = "-- PostgreSQL database dump";

/** Bytes that neighbouring parts of a file must share for {@link lastMark}. */
export const markBytes = 128;

/** The problem of a plain dump whose last mark is not its closing line. @param mark the last one in the whole file */
export function closingProblem(name: string, mark: DumpMark | undefined): string | undefined {
  if (mark === "end") return undefined;
  return mark === undefined ? strippedProblem(name) : truncatedProblem(name);
}

/** The problem of a plain dump without the comments of pg_dump. */
export function strippedProblem(name: string): string {
  return `${name} has neither the first nor the closing line of pg_dump ("-- PostgreSQL database dump complete"), so it may be incomplete: some frameworks and filters remove comments; use what pg_dump itself writes`;
}

/** The problem of the dump of a whole cluster. @param databases the databases in it */
export function clusterProblem(name: string, databases: readonly string[]): string {
  const [first] = databases;
  return first === undefined
    ? `${name} is a dump of a whole cluster (pg_dumpall) without a database; use a dump of one database, created with pg_dump`
    : `${name} is a dump of a whole cluster (pg_dumpall) with ${databases.length === 1 ? "database" : "databases"} ${databases.join(", ")}; set data.database to the one to restore, e.g. data.database: ${first}`;
}

/** The problem of a dump of one database from which a database is to be chosen. */
export function oneDatabaseProblem(name: string): string {
  return `${name} is not a dump of a whole cluster (pg_dumpall), so it has one database; remove data.database`;
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
