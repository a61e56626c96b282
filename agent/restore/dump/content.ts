import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { clientEncodingOf } from "../../../model/dump/client-encoding";
import { ClusterDatabases } from "../../../model/dump/cluster-databases";
import type { DumpMark } from "../../../model/dump/dump-marks";
import {
  closingProblem,
  clusterProblem,
  contentProblem,
  dumpFileProblem,
  headBytes,
  detectCompression,
  detectDumpKind,
  isClusterDump,
  lastMark,
  markBytes,
  type Compression,
  type DumpKind,
} from "../../../model/dump/format";
import { AgentError } from "../../system/errors";

const chunkBytes = 2 ** 18;

/** Commands that unpack stdin to stdout. Windows of zstd may be as large as its format allows. */
const unpackers: Readonly<Record<Exclude<Compression, "none">, readonly [string, ...string[]]>> = {
  gzip: ["gzip", "-dc"],
  bzip2: ["bzip2", "-dc"],
  zstd: ["zstd", "-dc", "--long=31"],
  xz: ["xz", "-dc"],
  lz4: ["lz4", "-dc"],
};

/** Compression and format of a dump file, recognised by its content. */
export interface Content {
  readonly compression: Compression;
  readonly kind: Exclude<DumpKind, "directory">;
  /** The first bytes of the uncompressed content; of a whole cluster what is about the chosen database. */
  readonly head: Buffer;
  /** Whether it is the dump of a whole cluster. */
  readonly isCluster: boolean;
}

/**
 * Recognises a dump file; throws an {@link AgentError} with `name` when it cannot be restored.
 *
 * @param database The database to restore, if the file is the dump of a whole cluster.
 */
export async function recogniseContent(
  file: string,
  name: string,
  database?: string,
): Promise<Content> {
  const { size, head: packedHead } = await readHead(file);
  const problem = dumpFileProblem({ name, bytes: size, head: packedHead });
  if (problem !== undefined) throw new AgentError(problem);
  const compression = detectCompression(packedHead);
  const head = compression === "none" ? packedHead : await unpackedHead(file, compression, name);
  const unpackedProblem = contentProblem(name, head);
  if (unpackedProblem !== undefined) throw new AgentError(unpackedProblem);
  const isCluster = isClusterDump(head);
  const chosen = isCluster ? await findDatabase(file, compression, name, database) : "";
  const kind = detectDumpKind(head) ?? "plain";
  if (kind === "plain" && compression === "none") {
    const unclosed = closingProblem(name, await findLastMark(file, size));
    if (unclosed !== undefined) throw new AgentError(unclosed);
  }
  return { compression, kind, head: isCluster ? clusterHead(head, chosen) : head, isCluster };
}

/** The client encoding of a cluster's dump, which its databases may not name, and the statement that creates a database. */
function clusterHead(head: Buffer, creation: string): Buffer {
  const lines = head.toString("latin1").split("\n");
  const encoding = lines.filter((line) => clientEncodingOf(line) !== undefined).slice(0, 1);
  return Buffer.from([...encoding, creation, ""].join("\n"));
}

/**
 * Finds the statement that creates the chosen database in the dump of a cluster, empty if there is none. Throws an
 * {@link AgentError} with the databases in it unless it has the chosen one.
 */
async function findDatabase(
  file: string,
  compression: Compression,
  name: string,
  database: string | undefined,
): Promise<string> {
  const databases = new ClusterDatabases();
  for await (const chunk of unpack(file, compression, name)) databases.push(chunk);
  if (database === undefined || !databases.has(database))
    throw new AgentError(clusterProblem(name, databases.names));
  return databases.creationOf(database) ?? "";
}

/** The uncompressed content of a file, in chunks; `onRead` receives the number of bytes read from the file. */
export async function* unpack(
  file: string,
  compression: Compression,
  name: string,
  onRead: (bytes: number) => void = () => undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const source = createReadStream(file, { highWaterMark: chunkBytes });
  source.on("data", (chunk) => {
    onRead(chunk.length);
  });
  if (compression === "none") {
    yield* source as AsyncIterable<Buffer>;
    return;
  }
  const [program, ...args] = unpackers[compression];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const stderr: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
  child.stdin.on("error", () => undefined);
  source.on("error", () => child.kill());
  source.pipe(child.stdin);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const status = await exit;
    const message = Buffer.concat(stderr).toString("utf8").trim().split("\n")[0] ?? "";
    if (status !== 0 || leavesBytes(message)) {
      throw new AgentError(
        `${name} is damaged or truncated: ${message || `${program} ended with status ${status}`}; copy or dump it again`,
      );
    }
  } finally {
    source.destroy();
    child.kill();
  }
}

/** Whether bzip2 ignored the rest of a file, e.g. the beginning of another one that was appended; its status is 0. */
function leavesBytes(message: string): boolean {
  return message.includes("trailing garbage");
}

async function unpackedHead(file: string, compression: Compression, name: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of unpack(file, compression, name)) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= headBytes) break;
  }
  return Buffer.concat(parts).subarray(0, headBytes);
}

async function readHead(file: string): Promise<{ size: number; head: Buffer }> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(Math.min(size, headBytes));
    await handle.read(head, 0, head.length, 0);
    return { size, head };
  } finally {
    await handle.close();
  }
}

/** The last mark in an uncompressed file, read from its end: frameworks append statements of any length. */
async function findLastMark(file: string, size: number): Promise<DumpMark | undefined> {
  const handle = await open(file, "r");
  try {
    for (let end = size; end > 0; end -= chunkBytes) {
      const from = Math.max(0, end - chunkBytes - markBytes);
      const bytes = Buffer.alloc(end - from);
      await handle.read(bytes, 0, bytes.length, from);
      const mark = lastMark(bytes);
      if (mark !== undefined) return mark;
    }
    return undefined;
  } finally {
    await handle.close();
  }
}
