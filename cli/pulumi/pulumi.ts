import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { execa } from "execa";
import { pulumiEnvironment } from "../../tools";
import { afterEvent, noEventsYet, parseEngineEvent, type UpdateState } from "./engine-events";
import { Problem, Stopped } from "../base/problem";
import type { StackName } from "../project/stacks";
import { canAsk, askYes } from "../terminal/ask";
import { findTakenName } from "./taken-name";
import { lockProblem, parseLock, updateProblems, type Lock } from "./update-errors";

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

/** Raised when a stack is locked: another update is at work, or one was killed. */
export class StackLocked extends UpdateFailed {
  constructor(
    readonly stackName: StackName,
    readonly lock: Lock,
    readonly holderIsGone: boolean,
  ) {
    super([lockProblem(stackName, lock, holderIsGone)]);
  }
}

/** Updates or destroys a stack; its last state, or {@link UpdateFailed}. */
export async function update(request: UpdateRequest): Promise<UpdateState> {
  const { stack } = request;
  const { state, exitCode, stderr } = await runUpdate(request);
  if (exitCode === 0) return state;
  const lock = parseLock(stderr);
  if (lock) throw new StackLocked(stack, lock, holderIsGone(lock));
  const { errors } = state;
  const taken = await findTakenName(request.folder, stack, errors);
  throw new UpdateFailed(updateProblems({ stack, errors, stderr, taken }));
}

/** Does some work that updates a stack; where a killed update left its lock, offers to take it away and does it again. */
export async function orFreeStack<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StackLocked) || !error.holderIsGone || !canAsk()) throw error;
    await offerCancel(folder, error);
    return await work();
  }
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

async function offerCancel(folder: string, { stackName, message }: StackLocked): Promise<void> {
  console.log(message);
  if (!(await askYes(`Take the lock away (pulumi cancel -s ${stackName}) and go on?`))) {
    throw new Stopped();
  }
  const { exitCode, stderr } = await pulumi(folder, ["cancel", "--yes", "--stack", stackName]);
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
