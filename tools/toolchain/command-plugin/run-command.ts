import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { constants } from "node:os";
import { StringDecoder } from "node:string_decoder";

/** What to run, as `local.Command` and `local.run` of @pulumi/command describe it. */
interface CommandRun {
  readonly command: string;
  /** @default ["/bin/sh", "-c"] */
  readonly interpreter: readonly string[];
  readonly dir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** Called with each line as it comes, for the streams that are to be logged. */
  readonly log: {
    readonly stdout: boolean;
    readonly stderr: boolean;
    readonly line: (text: string) => void;
  };
}

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** A longer line is cut in the log; the output itself stays whole. */
const longestLoggedLine = 8192;

/** How long a command may take to stop after SIGTERM. */
const graceMilliseconds = 5000;

const running = new Set<ChildProcess>();

/** Runs a command to its end; throws with its exit status and all it printed when it fails. */
export async function runCommand(run: CommandRun): Promise<CommandOutput> {
  if (!isDirectory(run.dir)) throw new Error(`dir "${run.dir}" is not a directory`);
  const [program, ...args] = [...run.interpreter, run.command];

  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const all: Buffer[] = [];
  const status = await new Promise<string | undefined>((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: run.dir,
      env: { ...process.env, ...run.environment },
      // A process group of its own, so that cancelling ends whatever the command has started.
      detached: true,
      stdio: [run.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    running.add(child);
    collect(child.stdout, [stdout, all], run.log.stdout ? run.log.line : undefined);
    collect(child.stderr, [stderr, all], run.log.stderr ? run.log.line : undefined);
    // A command that does not read its input closes the pipe: that is its own affair.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(run.stdin);
    child.on("error", (error) => {
      running.delete(child);
      reject(new Error(`${error.message}: running ${JSON.stringify(run.command)}`));
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      resolve(
        code === 0
          ? undefined
          : signal === null
            ? `exit status ${String(code)}`
            : `signal: ${signal}`,
      );
    });
  });

  if (status !== undefined) {
    throw new Error(`${status}: running ${JSON.stringify(run.command)}:\n${text(all)}`);
  }
  return { stdout: text(stdout), stderr: text(stderr) };
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

function collect(
  stream: NodeJS.ReadableStream | null,
  into: readonly Buffer[][],
  line: ((text: string) => void) | undefined,
): void {
  if (stream === null) return;
  const lines = line === undefined ? undefined : new LineSplitter(line);
  stream.on("data", (chunk: Buffer) => {
    for (const buffers of into) buffers.push(chunk);
    lines?.write(chunk);
  });
  stream.on("end", () => lines?.end());
}

/** Cuts a stream into lines without ever keeping more than one line's beginning. */
class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #emit: (text: string) => void;
  #line = "";
  #length = 0;

  constructor(emit: (text: string) => void) {
    this.#emit = emit;
  }

  write(chunk: Buffer): void {
    const parts = this.#decoder.write(chunk).split("\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) {
      this.#append(part);
      this.#flush();
    }
    this.#append(rest);
  }

  end(): void {
    this.#append(this.#decoder.end());
    if (this.#length > 0) this.#flush();
  }

  #append(part: string): void {
    this.#length += part.length;
    this.#line += part.slice(0, Math.max(0, longestLoggedLine - this.#line.length));
  }

  #flush(): void {
    const cut = this.#length - this.#line.length;
    this.#emit(cut > 0 ? `${this.#line}… (${String(cut)} more characters)` : this.#line);
    this.#line = "";
    this.#length = 0;
  }
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString("utf8").replace(/\n$/, "");
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
