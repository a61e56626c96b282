import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import type { Readable, Writable } from "node:stream";

/** One program of a pipeline. */
export interface Stage {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Sent to the program on file descriptor 3; no other process sees it. */
  readonly secret?: string;
  /** Called with each chunk of its output. */
  readonly onOutput?: (chunk: Buffer) => void;
}

/** A failed pipeline: the program that caused the failure, not those that failed because of it. */
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

/** Seconds between SIGTERM and SIGKILL. */
const graceSeconds = 10;

/** Bytes of a program's stderr that are retained. */
const maxStderrBytes = 65_536;

interface Running {
  readonly stage: Stage;
  readonly child: ChildProcess & { readonly stdin: Writable; readonly stdout: Readable };
  /** Resolves when the program ends with status 0; rejects with a {@link PipelineError} otherwise. */
  readonly ended: Promise<void>;
}

/**
 * Runs programs with the output of each piped to the next; resolves when all have ended with status 0, and throws a
 * {@link PipelineError} otherwise. A program's stdin is closed only after the previous program succeeded, so the last
 * one never mistakes truncated input for complete input. Memory use does not depend on the amount of data.
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
  let stopTimer: NodeJS.Timeout | undefined;
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
      // The next program closed its stdin and is about to report why: give it time.
      if (hasBrokenPipe(failure)) stopTimer ??= setTimeout(stop, graceSeconds * 1000);
      else stop();
    }),
  );
  await Promise.all([...ends, ...links.map((linked) => linked.catch(() => undefined))]);
  clearTimeout(stopTimer);
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  const failure = failures.find(isRootCause) ?? failures[0];
  if (failure) throw failure;
  // All programs succeeded: report an error of the pipes, if any.
  await Promise.all(links);
}

/** Programs that were killed, or whose reader was gone, did not cause the failure. */
function isRootCause(failure: PipelineError): boolean {
  return failure.signal === null && !hasBrokenPipe(failure);
}

function hasBrokenPipe({ signal, stderr }: PipelineError): boolean {
  return signal === "SIGPIPE" || brokenPipe.test(stderr);
}

/** Error texts of programs whose reader is gone; a reset network connection of rclone reads differently. */
const brokenPipe =
  /broken pipe|(?:cannot write|write error|write (?:\||\/dev\/)\S*): connection reset/i;

function start(stage: Stage): Running {
  const { program, args, environment = process.env, secret } = stage;
  const child = spawn(program, args, {
    env: environment,
    stdio: ["pipe", "pipe", "pipe", ...(secret === undefined ? [] : ["pipe" as const])],
  }) as Running["child"] & { readonly stderr: Readable };
  // A program that ends early is reported by its status, not by EPIPE.
  child.stdin.on("error", () => undefined);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-maxStderrBytes);
  });
  if (secret !== undefined) {
    const pipe = child.stdio[3] as Writable;
    pipe.on("error", () => undefined);
    pipe.end(secret);
  }
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", ({ message }) => {
      reject(new PipelineError(program, null, null, message));
    });
    child.on("close", (status, signal) => {
      if (status === 0) resolve();
      else reject(new PipelineError(program, status, signal, stderr));
    });
  });
  return { stage, child, ended };
}

async function link(from: Running, to: Running | undefined): Promise<void> {
  const { onOutput } = from.stage;
  if (!to) {
    for await (const chunk of from.child.stdout as AsyncIterable<Buffer>) onOutput?.(chunk);
    return;
  }
  const observed = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      onOutput?.(chunk);
      yield chunk;
    }
  };
  await pipeline(from.child.stdout, observed, to.child.stdin, { end: false });
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
