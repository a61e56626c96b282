import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import {
  contentProblem,
  dumpFileProblem,
  headBytes,
  detectCompression,
  detectDumpKind,
  tailBytes,
  type Compression,
  type DumpKind,
} from "../../../model/dump/format";
import { AgentError } from "../../system/errors";

const chunkBytes = 2 ** 18;

/** Programs that unpack stdin to stdout. */
const unpackers: Readonly<Record<Exclude<Compression, "none">, string>> = {
  gzip: "gzip",
  bzip2: "bzip2",
  zstd: "zstd",
  xz: "xz",
  lz4: "lz4",
};

/** Compression and format of a dump file, recognised by its content. */
export interface Content {
  readonly compression: Compression;
  readonly kind: Exclude<DumpKind, "directory">;
  /** The first bytes of the uncompressed content. */
  readonly head: Buffer;
}

/** Recognises a dump file; throws an {@link AgentError} with `name` when it cannot be restored. */
export async function recogniseContent(file: string, name: string): Promise<Content> {
  const { size, head: packedHead, tail } = await readEnds(file);
  const problem = dumpFileProblem({ name, bytes: size, head: packedHead, tail });
  if (problem !== undefined) throw new AgentError(problem);
  const compression = detectCompression(packedHead);
  const head = compression === "none" ? packedHead : await unpackedHead(file, compression, name);
  const unpackedProblem = contentProblem(name, head);
  if (unpackedProblem !== undefined) throw new AgentError(unpackedProblem);
  return { compression, kind: detectDumpKind(head) ?? "plain", head };
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
  const program = unpackers[compression];
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "pipe"] });
  const stderr: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
  child.stdin.on("error", () => undefined);
  source.on("error", () => child.kill());
  source.pipe(child.stdin);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const status = await exit;
    if (status !== 0) {
      const message = Buffer.concat(stderr).toString("utf8").trim().split("\n")[0] ?? "";
      throw new AgentError(
        isWindowTooLarge(message)
          ? `${name} needs more memory to unpack than zstd allows: ${message}; compress it again without --long`
          : `${name} is damaged or truncated: ${message || `${program} ended with status ${status}`}; copy or dump it again`,
      );
    }
  } finally {
    source.destroy();
    child.kill();
  }
}

/** Whether zstd rejects a file for its window: by default it unpacks windows of up to 128 MiB. */
function isWindowTooLarge(message: string): boolean {
  return message.includes("requires too much memory");
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

async function readEnds(file: string): Promise<{ size: number; head: Buffer; tail: Buffer }> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(Math.min(size, headBytes));
    await handle.read(head, 0, head.length, 0);
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    await handle.read(tail, 0, tail.length, size - tail.length);
    return { size, head, tail };
  } finally {
    await handle.close();
  }
}
