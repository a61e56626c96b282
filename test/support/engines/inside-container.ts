import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { endWithTest, testSignal } from "../run/test-scope";

/** What a program in a container did. */
export interface ProgramOutput {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Runs in the container: starts the programs that stdin asks for, a line of JSON each, and answers with a line when one
 * has ended. A line without a command ends the program of that number, with all that it has started.
 */
const runner = `
const { spawn } = require("node:child_process");
const { signals } = require("node:os").constants;
const answer = (id, status, stdout, stderr) =>
  process.stdout.write(JSON.stringify({ id, status, stdout: stdout.toString("base64"), stderr: stderr.toString("base64") }) + "\\n");
const running = new Map();
const end = (id, signal) => { try { process.kill(-running.get(id).pid, signal); } catch {} };
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, command, stdin } = JSON.parse(line);
  if (!command) {
    end(id, "SIGINT");
    setTimeout(end, 10000, id, "SIGKILL");
    return;
  }
  const [program, ...args] = command;
  const child = spawn(program, args, { detached: true });
  running.set(id, child);
  const out = [], err = [];
  child.stdout.on("data", (chunk) => out.push(chunk));
  child.stderr.on("data", (chunk) => err.push(chunk));
  child.stdin.on("error", () => undefined).end(Buffer.from(stdin, "base64"));
  child.on("error", ({ message }) => answer(id, 127, Buffer.alloc(0), Buffer.from(message)));
  child.on("exit", (code, signal) => {
    running.delete(id);
    let answered = false;
    const tell = () => answered || ((answered = true), answer(id, code ?? 128 + signals[signal], Buffer.concat(out), Buffer.concat(err)));
    child.on("close", tell);
    // What it left running in the background may hold its output open.
    setTimeout(tell, 1000);
  });
}).on("close", () => process.exit());
`;

const answerSchema = z.object({
  id: z.number(),
  status: z.number(),
  stdout: z.base64(),
  stderr: z.base64(),
});

interface Session {
  readonly process: ChildProcessWithoutNullStreams;
  readonly waiting: Map<number, (ran: ProgramOutput) => void>;
}

/**
 * Runs programs in a container by one `docker exec` that stays, since one for each would take a tenth of a second more.
 * When the container stops, it ends with it, and the next program begins another.
 */
export class Inside {
  #session: Session | undefined;
  #count = 0;

  constructor(private readonly container: string) {}

  /** Runs a program to its end. */
  async run([...command]: readonly string[], stdin: Buffer): Promise<ProgramOutput> {
    testSignal();
    const { process, waiting } = (this.#session ??= this.#begin());
    const id = ++this.#count;
    const ask = (line: object): boolean => process.stdin.write(`${JSON.stringify(line)}\n`);
    const ran = new Promise<ProgramOutput>((resolve) => {
      waiting.set(id, resolve);
      ask({ id, command, stdin: stdin.toString("base64") });
    });
    return endWithTest(ran, () => ask({ id }));
  }

  /** Ends what is left of it. */
  end(): void {
    this.#session?.process.kill();
  }

  #begin(): Session {
    const process = spawn("docker", ["exec", "-i", this.container, "node", "-e", runner]);
    const waiting: Session["waiting"] = new Map();
    const session = { process, waiting };
    const said: Buffer[] = [];
    process.stderr.on("data", (chunk: Buffer) => said.push(chunk));
    process.stdin.on("error", () => undefined);
    createInterface({ input: process.stdout }).on("line", (line) => {
      const { id, status, stdout, stderr } = answerSchema.parse(JSON.parse(line));
      waiting.get(id)?.({
        status,
        stdout: Buffer.from(stdout, "base64"),
        stderr: Buffer.from(stderr, "base64"),
      });
      waiting.delete(id);
    });
    process.on("close", (code) => {
      if (this.#session === session) this.#session = undefined;
      const ended = { status: code ?? 137, stdout: Buffer.alloc(0), stderr: Buffer.concat(said) };
      for (const resolve of waiting.values()) resolve(ended);
    });
    return session;
  }
}
