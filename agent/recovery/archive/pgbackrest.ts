import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { archiveFiles } from "../../../model/point-in-time/archive-repository";
import { pgBackRestProblem } from "../../../model/point-in-time/pgbackrest-error";
import { AgentError } from "../../system/errors";

/** Options of a call of pgBackRest. */
export interface BackrestCall {
  readonly stanza?: string;
  readonly options?: readonly string[];
  /** Kills it. */
  readonly signal?: AbortSignal;
}

/** Runs a command of pgBackRest and returns its stdout; throws an {@link AgentError} with its error message. */
export async function backrest(
  command: string,
  { stanza, options = [], signal }: BackrestCall = {},
): Promise<string> {
  const stanzaOption = stanza === undefined ? [] : [`--stanza=${stanza}`];
  const args = [`--config=${archiveFiles.config}`, ...stanzaOption, ...options, command];
  const child = spawn("pgbackrest", args, {
    // pgBackRest also reads PGBACKREST_* variables; the agent sets none.
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal && { signal }),
  });
  let stdout = "";
  const errors: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
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
  // Errors in its configuration are printed to stdout.
  const message = errors.length > 0 ? errors.join("\n") : stdout;
  throw new AgentError(pgBackRestProblem(message, status));
}
