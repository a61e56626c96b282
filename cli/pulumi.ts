import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { execa } from "execa";
import { pulumiEnvironment } from "../tools";
import { afterEvent, noEventsYet, parseEngineEvent, type UpdateState } from "./engine-events";
import { Problem, Stopped } from "./problem";
import type { StackName } from "./stacks";
import { canAsk, askYes } from "./terminal/ask";
import { lockProblem, parseLock, updateProblems, type Lock } from "./text/update-errors";

/** What a run of Pulumi gave. */
export interface PulumiRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Pulumi in the project folder, without anybody to ask. */
export async function pulumi(
  folder: string,
  args: readonly string[],
  input?: string,
): Promise<PulumiRun> {
  const { exitCode, stdout, stderr } = await start(folder, args, input);
  return { exitCode: exitCode ?? 1, stdout, stderr };
}

function start(folder: string, args: readonly string[], input?: string) {
  const run = execa("pulumi", [...args, "--non-interactive", "--color", "never"], {
    cwd: folder,
    env: pulumiEnvironment(folder),
    reject: false,
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    // Pulumi hears Ctrl-C itself, from the terminal, and needs a while to leave the state in order.
    cleanup: false,
    maxBuffer: 256 * 1024 * 1024,
  });
  return run;
}

/** What is wanted of an update: which verb of Pulumi, and its further arguments. */
export interface UpdateRequest {
  readonly folder: string;
  readonly stack: StackName;
  readonly verb: "up" | "destroy";
  readonly options?: readonly string[];
  /** Called after every event. */
  readonly onChange: (state: UpdateState) => void;
}

/** Raised when an update failed: every problem once, in a person's words. */
export class UpdateFailed extends Error {
  override readonly name = "UpdateFailed";
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join("\n"));
  }
}

/** Updates or destroys a stack; its last state, or {@link UpdateFailed}. A lock left by a killed update is offered to be taken away. */
export async function update(request: UpdateRequest): Promise<UpdateState> {
  const { state, exitCode, stderr } = await runUpdate(request);
  if (exitCode === 0) return state;
  const lock = parseLock(stderr);
  if (!lock) {
    throw new UpdateFailed(updateProblems({ stack: request.stack, errors: state.errors, stderr }));
  }
  await offerCancel(request, lock);
  return update(request);
}

async function runUpdate(
  request: UpdateRequest,
): Promise<{ state: UpdateState; exitCode: number; stderr: string }> {
  const { folder, stack, verb, options = [], onChange } = request;
  const run = start(folder, [
    verb,
    "--stack",
    stack,
    "--yes",
    "--skip-preview",
    "--json",
    ...options,
  ]);
  const forward = (): void => {
    run.kill("SIGINT");
  };
  const wait = (): void => {
    // Ctrl-C reaches Pulumi as well; it ends in order, and then this program does.
  };
  process.on("SIGTERM", forward).on("SIGINT", wait);
  let state = noEventsYet;
  try {
    for await (const line of run.iterable({ from: "stdout" })) {
      const event = parseEngineEvent(line);
      if (!event) continue;
      state = afterEvent(state, event);
      onChange(state);
    }
  } finally {
    process.off("SIGTERM", forward).off("SIGINT", wait);
  }
  const { exitCode = 1, stderr } = await run;
  return { state, exitCode, stderr };
}

async function offerCancel({ folder, stack }: UpdateRequest, lock: Lock): Promise<void> {
  const gone = holderIsGone(lock);
  const problem = lockProblem(stack, lock, gone);
  if (!gone || !canAsk()) throw new UpdateFailed([problem]);
  process.stdout.write(`${problem.message}\n`);
  if (!(await askYes(`Take the lock away (pulumi cancel -s ${stack}) and go on?`))) {
    throw new Stopped();
  }
  const { exitCode, stderr } = await pulumi(folder, ["cancel", "--yes", "--stack", stack]);
  if (exitCode !== 0) throw new Problem(`the lock could not be taken away: ${stderr.trim()}`);
}

/** Whether the process that holds a lock has ended; only known for a process of this machine. */
function holderIsGone(lock: Lock): boolean {
  if (lock.host !== hostname()) return false;
  try {
    return !readFileSync(`/proc/${lock.pid}/cmdline`, "utf8").includes("pulumi");
  } catch {
    return true;
  }
}
