import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { constants } from "node:os";
import { Output, type CommandOutput, type OutputLog } from "./output";

/** A command to run, as defined by `local.Command` and `local.run` of @pulumi/command. */
interface CommandRun {
  readonly command: string;
  /** @default ["/bin/sh", "-c"] */
  readonly interpreter: readonly string[];
  readonly dir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  readonly log: OutputLog;
}

/** The result of a command. */
interface Ended {
  readonly output: Output;
  readonly problem: string | undefined;
}

/** Time for a command to exit after SIGTERM. */
const graceMilliseconds = 5000;

const running = new Set<ChildProcess>();

/** Runs a command until it exits; if it fails, throws an error with its exit status and output. */
export async function runCommand(run: CommandRun): Promise<CommandOutput> {
  if (!isDirectory(run.dir)) throw new Error(`dir "${run.dir}" is not a directory`);
  const [program, ...args] = [...run.interpreter, run.command];

  const { output, problem } = await new Promise<Ended>((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: run.dir,
      env: { ...process.env, ...run.environment },
      // A separate process group, so that cancelling also ends the processes that the command started.
      detached: true,
      stdio: [run.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    running.add(child);
    const output = new Output(child, run.log);
    // A command that does not read its input closes the pipe, which is not an error.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(run.stdin);
    child.on("error", (error) => {
      running.delete(child);
      reject(new Error(`${error.message}: running ${JSON.stringify(run.command)}`));
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      const how = signal === null ? `exit status ${String(code)}` : `signal: ${signal}`;
      resolve({ output, problem: code === 0 ? undefined : how });
    });
  });
  return output.of(run.command, problem);
}

/** Ends all running commands and their child processes: SIGTERM, then SIGKILL. */
export function stopCommands(): void {
  signalGroups("SIGTERM");
  setTimeout(killCommands, graceMilliseconds).unref();
}

/** Kills all running commands immediately. */
export function killCommands(): void {
  signalGroups("SIGKILL");
}

function signalGroups(signal: "SIGTERM" | "SIGKILL"): void {
  for (const { pid } of running) {
    if (pid === undefined) continue;
    try {
      process.kill(-pid, constants.signals[signal]);
    } catch {
      // It has just exited.
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
