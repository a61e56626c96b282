import { spawn, type ChildProcess } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** Options of {@link runProgram}. */
export interface RunOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Called with each line of stderr, of the program and of the filter. */
  readonly onLine: (line: string) => void;
  /** Terminates the programs. */
  readonly signal: AbortSignal;
  /** File to create from stdout. @default stdout is discarded */
  readonly output?: string;
  /** Second program that reads the first one's stdout; `output` is then the filter's stdout. */
  readonly filter?: Command;
}

/** Seconds between SIGTERM and SIGKILL. */
const graceSeconds = 5;

/**
 * Runs a program, optionally piped into a filter. Returns their exit statuses, 255 for a program that a signal ended.
 * The programs end with this process, even after SIGKILL, so that none keeps writing into an abandoned backup.
 */
export async function runProgram(command: Command, options: RunOptions): Promise<number[]> {
  const { output, filter, signal } = options;
  const target = output === undefined ? undefined : openSync(output, "wx", 0o600);
  const children: ChildProcess[] = [];
  const terminateAll = (): void => {
    for (const child of children) terminate(child);
  };
  signal.addEventListener("abort", terminateAll);
  try {
    signal.throwIfAborted();
    if (filter === undefined) {
      children.push(start(command, options, ["ignore", target ?? "ignore", "pipe"]));
    } else {
      const first = start(command, options, ["ignore", "pipe", "pipe"]);
      const second = start(filter, options, ["pipe", target ?? "ignore", "pipe"]);
      children.push(first, second);
      // The exit statuses report a broken pipe.
      if (first.stdout && second.stdin) {
        void pipeline(first.stdout, second.stdin).catch(terminateAll);
      }
    }
    return await Promise.all(children.map(exitStatus));
  } finally {
    signal.removeEventListener("abort", terminateAll);
    if (target !== undefined) closeSync(target);
  }
}

function start(
  command: Command,
  { environment, onLine }: RunOptions,
  stdio: ("ignore" | "pipe" | number)[],
): ChildProcess {
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], {
    env: environment,
    stdio,
  });
  if (child.stderr) createInterface({ input: child.stderr }).on("line", onLine);
  return child;
}

async function exitStatus(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve(status ?? 255);
    });
  });
}

function terminate(child: ChildProcess): void {
  child.kill("SIGTERM");
  setTimeout(() => child.kill("SIGKILL"), graceSeconds * 1000).unref();
}
