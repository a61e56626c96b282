import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import type { Readable, Writable } from "node:stream";

/** One program of a pipeline. */
export interface Stage {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** What it can read from its descriptor 3, and no other program sees. */
  readonly secret?: string;
  /** Sees each piece of its output. */
  readonly onOutput?: (piece: Buffer) => void;
}

/** What is wrong with a pipeline: the program that failed first, and not those that lost it. */
export class PipelineError extends Error {
  override readonly name = "PipelineError";

  constructor(
    readonly program: string,
    readonly status: number | null,
    readonly signal: NodeJS.Signals | null,
    readonly stderr: string,
  ) {
    super(`${program} ended with ${signal ?? `status ${status ?? "unknown"}`}: ${stderr.trim()}`);
  }
}

/** How long a program may take to end when it is told to, in seconds. */
const graceSeconds = 10;

/** The most that is kept of what a program complains of, in bytes. */
const maxStderrBytes = 65_536;

interface Running {
  readonly stage: Stage;
  readonly child: ChildProcess & { readonly stdin: Writable; readonly stdout: Readable };
  /** Done when it has ended well; what it said otherwise. */
  readonly ended: Promise<void>;
}

/**
 * Runs programs, each one's output being the next one's input, and resolves when all of them have ended well. A program
 * sees the end of its input only after the one before it has ended well: of a pipeline that is cut, the last program
 * never takes a part for the whole. Memory does not grow with what goes through.
 */
export async function runPipeline(
  stages: readonly Stage[],
  {
    input = "",
    signal,
  }: { readonly input?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  signal?.throwIfAborted();
  const failures: PipelineError[] = [];
  const running = stages.map(start);
  let patience: NodeJS.Timeout | undefined;
  const stop = (): void => {
    for (const { child } of running) end(child);
  };
  signal?.addEventListener("abort", stop);
  const [first] = running;
  first?.child.stdin.end(input);
  const links = running.map((from, index) => link(from, running[index + 1]));
  const ends = running.map(({ ended }) =>
    ended.catch((error: unknown) => {
      const failure = error as PipelineError;
      failures.push(failure);
      // Whoever closed its input is about to say why, and is not ended before it has.
      if (hasBrokenPipe(failure)) patience ??= setTimeout(stop, graceSeconds * 1000);
      else stop();
    }),
  );
  await Promise.all([...ends, ...links.map((linked) => linked.catch(() => undefined))]);
  clearTimeout(patience);
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  const culprit = failures.find(isRootCause) ?? failures[0];
  if (culprit) throw culprit;
  // Where all ended well, nothing was lost between them.
  await Promise.all(links);
}

/** Those that were ended, or that found nobody listening, are only the victims. */
function isRootCause(failure: PipelineError): boolean {
  return failure.signal === null && !hasBrokenPipe(failure);
}

function hasBrokenPipe({ signal, stderr }: PipelineError): boolean {
  return signal === "SIGPIPE" || brokenPipe.test(stderr);
}

/** How programs complain when the one behind them is gone; a connection of rclone's own that is reset sounds different. */
const brokenPipe =
  /broken pipe|(?:cannot write|write error|write (?:\||\/dev\/)\S*): connection reset/i;

function start(stage: Stage): Running {
  const { program, args, environment = process.env, secret } = stage;
  const child = spawn(program, args, {
    env: environment,
    stdio: ["pipe", "pipe", "pipe", ...(secret === undefined ? [] : ["pipe" as const])],
  }) as Running["child"] & { readonly stderr: Readable };
  // A program that ends early is told by its status, and not by what it did not read.
  child.stdin.on("error", () => undefined);
  let complaint = "";
  child.stderr.on("data", (piece: Buffer) => {
    complaint = (complaint + piece.toString("utf8")).slice(-maxStderrBytes);
  });
  if (secret !== undefined) {
    const way = child.stdio[3] as Writable;
    way.on("error", () => undefined);
    way.end(secret);
  }
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", ({ message }) => {
      reject(new PipelineError(program, null, null, message));
    });
    child.on("close", (status, signal) => {
      if (status === 0) resolve();
      else reject(new PipelineError(program, status, signal, complaint));
    });
  });
  return { stage, child, ended };
}

async function link(from: Running, to: Running | undefined): Promise<void> {
  const { onOutput: watch } = from.stage;
  if (!to) {
    for await (const piece of from.child.stdout as AsyncIterable<Buffer>) watch?.(piece);
    return;
  }
  const watched = async function* (source: AsyncIterable<Buffer>) {
    for await (const piece of source) {
      watch?.(piece);
      yield piece;
    }
  };
  await pipeline(from.child.stdout, watched, to.child.stdin, { end: false });
  await from.ended;
  to.child.stdin.end();
}

function end(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceSeconds * 1000);
  void once(child, "close").finally(() => {
    clearTimeout(timer);
  });
}
