import { StringDecoder } from "node:string_decoder";

/** The output of a command. */
export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** The streams to log line by line, and the log. */
export interface OutputLog {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly line: (text: string) => void;
}

/** Longer lines are truncated in the log, but not in the output. */
const longestLoggedLine = 8192;

/** Collects the output of a running command. */
export class Output {
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #all: Buffer[] = [];

  constructor(
    streams: {
      readonly stdout: NodeJS.ReadableStream | null;
      readonly stderr: NodeJS.ReadableStream | null;
    },
    log: OutputLog,
  ) {
    this.#collect(streams.stdout, this.#stdout, log.stdout ? log.line : undefined);
    this.#collect(streams.stderr, this.#stderr, log.stderr ? log.line : undefined);
  }

  #collect(
    stream: NodeJS.ReadableStream | null,
    into: Buffer[],
    line: ((text: string) => void) | undefined,
  ): void {
    const lines = line === undefined ? undefined : new LineSplitter(line);
    stream?.on("data", (chunk: Buffer) => {
      into.push(chunk);
      this.#all.push(chunk);
      lines?.write(chunk);
    });
    stream?.on("end", () => lines?.end());
  }

  /** The output so far; if the command failed with `problem`, throws an error that contains it. */
  of(command: string, problem: string | undefined): CommandOutput {
    if (problem !== undefined)
      throw new Error(`${problem}: running ${JSON.stringify(command)}:\n${text(this.#all)}`);
    return { stdout: text(this.#stdout), stderr: text(this.#stderr) };
  }
}

/** Splits a stream into lines; buffers at most the beginning of one line. */
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
