import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { sessionOptions, type SessionSettings } from "./connect";
import { libpqEnvironment } from "./external-connection";
import { textDecoder, type DecodeText } from "../../model/dump/text-encoding";

/** Environment of client programs that connect as the superuser. @param settings Further parameters of their sessions */
export function clientEnvironment(settings: SessionSettings = {}): NodeJS.ProcessEnv {
  return clientProgramEnvironment(sessionOptions(settings));
}

/** Environment of client programs: the connection, English messages, and session options (`PGOPTIONS`). */
export function clientProgramEnvironment(options: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LC_ALL: "C.UTF-8",
    LC_MESSAGES: "C",
    ...libpqEnvironment(),
    PGOPTIONS: options,
  };
}

/** Connection string for a database name, because libpq parses a bare `--dbname` with an equals sign as one. */
export function connectionString(database: string): string {
  return `dbname='${database.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** Runs a program and passes on the lines of its stderr. Returns its exit status, 255 when a signal ended it. */
export async function runWithStderrLines(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  onStderr: (line: string) => void,
  decode: DecodeText = textDecoder("UTF8"),
): Promise<number> {
  const child = spawn(program, args, { env: environment, stdio: ["ignore", "ignore", "pipe"] });
  // Split into lines as bytes, because the encoding differs from line to line.
  child.stderr.setEncoding("latin1");
  createInterface({ input: child.stderr }).on("line", (line) => {
    onStderr(decode(Buffer.from(line, "latin1")));
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve(status ?? 255);
    });
  });
}

/** Yields the stdout of a program in chunks; throws an error with its stderr when it fails. */
export async function* streamOutput(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): AsyncGenerator<Buffer, void, undefined> {
  const child = spawn(program, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const stderr: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    if ((await exit) !== 0) throw new Error(Buffer.concat(stderr).toString("utf8").trim());
  } finally {
    child.kill();
  }
}

/** Runs a program with a stream as its stdin. Returns its exit status, 1 when a signal ended it. */
export async function runWithInput(
  program: string,
  args: readonly string[],
  input: NodeJS.ReadableStream,
): Promise<number> {
  const child = spawn(program, args, { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.on("error", () => undefined);
  input.pipe(child.stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve(status ?? 1);
    });
  });
}
