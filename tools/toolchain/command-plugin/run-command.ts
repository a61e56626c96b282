import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { constants } from "node:os";
import { Output, type CommandOutput, type OutputLog } from "./output";

/** What to run, as `local.Command` and `local.run` of @pulumi/command describe it. */
interface CommandRun {
  readonly command: string;
  /** @default ["/bin/sh", "-c"] */
  readonly interpreter: readonly string[];
  readonly dir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  readonly log: OutputLog;
}

/** What a command printed, and how it failed, if it did. */
interface Ended {
  readonly output: Output;
  readonly problem: string | undefined;
}

/** How long a command may take to stop after SIGTERM. */
const graceMilliseconds = 5000;

const running = new Set<ChildProcess>();

/** Runs a command to its end; throws with its exit status and all it printed when it fails. */
export async function runCommand(run: CommandRun): Promise<CommandOutput> {
  if (!isDirectory(run.dir)) throw new Error(`dir "${run.dir}" is not a directory`);
  const [program, ...args] = [...run.interpreter, run.command];

  const { output, problem } = await new Promise<Ended>((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: run.dir,
      env: { ...process.env, ...run.environment },
      // A process group of its own, so that cancelling ends whatever the command has started.
      detached: true,
      stdio: [run.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    running.add(child);
    const output = new Output(child, run.log);
    // A command that does not read its input closes the pipe: that is its own affair.
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

/** Ends all running commands and what they have started: SIGTERM, and SIGKILL for those that stay. */
export function stopCommands(): void {
  signalGroups("SIGTERM");
  setTimeout(killCommands, graceMilliseconds).unref();
}

/** Ends all running commands at once. */
export function killCommands(): void {
  signalGroups("SIGKILL");
}

function signalGroups(signal: "SIGTERM" | "SIGKILL"): void {
  for (const { pid } of running) {
    if (pid === undefined) continue;
    try {
      process.kill(-pid, constants.signals[signal]);
    } catch {
      // It has just ended by itself.
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
