import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { archiveFiles } from "../../../model/point-in-time/archive-repository";
import { pgBackRestProblem } from "../../../model/point-in-time/pgbackrest-error";
import { AgentError } from "../../system/errors";

/** How pgBackRest is called. */
export interface BackrestCall {
  readonly stanza?: string;
  readonly options?: readonly string[];
  /** Stops it. */
  readonly signal?: AbortSignal;
}

/** Runs a command of pgBackRest and gives its stdout; raises an {@link AgentError} with what it says. */
export async function backrest(
  command: string,
  { stanza, options = [], signal }: BackrestCall = {},
): Promise<string> {
  const of = stanza === undefined ? [] : [`--stanza=${stanza}`];
  const args = [`--config=${archiveFiles.config}`, ...of, ...options, command];
  const child = spawn("pgbackrest", args, {
    // Its own settings may also come from variables; none of ours is one.
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal && { signal }),
  });
  let stdout = "";
  const complaints: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  createInterface({ input: child.stderr }).on("line", (line) => complaints.push(line));
  const status = await new Promise<number>((resolve, reject) => {
    child.on("error", (error) => {
      if (signal?.aborted === true) resolve(255);
      else reject(error);
    });
    child.on("close", (code) => {
      resolve(code ?? 255);
    });
  });
  if (status === 0) return stdout;
  // What it finds before it has read its settings, it tells on stdout.
  const said = complaints.length > 0 ? complaints.join("\n") : stdout;
  throw new AgentError(pgBackRestProblem(said, status));
}
