import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import {
  archiveFolder,
  lockFolder,
  repositoryEnvironment,
} from "../../../model/point-in-time/archive-repository";
import { pgBackRestProblem } from "../../../model/point-in-time/pgbackrest-error";
import { confine, type Confines } from "../../system/confine";
import { AgentError } from "../../system/errors";

/** Options of a call of pgBackRest. */
export interface BackrestCall {
  readonly stanza?: string;
  readonly options?: readonly string[];
  /** Number of full backups that are retained. @default all */
  readonly keepFull?: number | undefined;
  /** Files that it may use. @default PostgreSQL's data to read, and the archive to write */
  readonly confines?: Confines;
  /** Kills it. */
  readonly signal?: AbortSignal;
}

const backupConfines: Confines = { reads: ["/var/lib/postgresql/data/"], writes: [archiveFolder] };

/**
 * Runs a command of pgBackRest and returns its stdout; throws an {@link AgentError} with its error message. It reads no
 * configuration file: the one in the archive is for PostgreSQL's archive command, and PostgreSQL's user can write to it.
 */
export async function backrest(
  command: string,
  { stanza, options = [], keepFull, confines = backupConfines, signal }: BackrestCall = {},
): Promise<string> {
  const stanzaOption = stanza === undefined ? [] : [`--stanza=${stanza}`];
  await mkdir(lockFolder, { recursive: true, mode: 0o700 });
  const writes = [...confines.writes, lockFolder];
  const [program, ...args] = confine({ ...confines, writes }, [
    ...(["pgbackrest", "--no-config"] as const),
    ...stanzaOption,
    ...options,
    command,
  ]);
  const child = spawn(program, args, {
    env: { ...environmentWithoutOptions(), ...repositoryEnvironment(keepFull), LC_ALL: "C.UTF-8" },
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
  // Errors in its options are printed to stdout.
  const message = errors.length > 0 ? errors.join("\n") : stdout;
  throw new AgentError(pgBackRestProblem(message, status));
}

/** The agent's environment without options of pgBackRest, which are variables `PGBACKREST_*`. */
export function environmentWithoutOptions(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("PGBACKREST_")),
  );
}
