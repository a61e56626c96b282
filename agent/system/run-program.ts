import { spawn, type ChildProcess } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** How a program is run. */
export interface RunOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Gets each line of its stderr. */
  readonly onLine: (line: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Where its stdout goes; nowhere when it is left out. */
  readonly output?: string;
  /** What its stdout goes through first. */
  readonly filter?: Command;
}

/** Seconds that a program has to end by itself when it is asked to. */
const graceSeconds = 5;

/**
 * Runs a program, and another one behind it; the exit statuses of all, 255 for one that a signal ended. They end when
 * this process does, also by SIGKILL: nothing goes on writing into a backup that nobody makes any more.
 */
export async function runProgram(command: Command, options: RunOptions): Promise<number[]> {
  const { output, filter, signal } = options;
  const target = output === undefined ? undefined : openSync(output, "wx", 0o600);
  const children: ChildProcess[] = [];
  const end = (): void => {
    for (const child of children) terminate(child);
  };
  signal.addEventListener("abort", end);
  try {
    signal.throwIfAborted();
    if (filter === undefined) {
      children.push(start(command, options, ["ignore", target ?? "ignore", "pipe"]));
    } else {
      const first = start(command, options, ["ignore", "pipe", "pipe"]);
      const second = start(filter, options, ["pipe", target ?? "ignore", "pipe"]);
      children.push(first, second);
      // A broken pipe shows in the exit statuses.
      if (first.stdout && second.stdin) {
        void pipeline(first.stdout, second.stdin).catch(() => {
          end();
        });
      }
    }
    return await Promise.all(children.map(exitStatus));
  } finally {
    signal.removeEventListener("abort", end);
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
