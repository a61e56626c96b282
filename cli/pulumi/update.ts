import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { afterEvent, noEventsYet, parseEngineEvent, type UpdateState } from "./engine-events";
import { Problem, Cancelled } from "../base/problem";
import type { StackName } from "../project/stacks";
import { canAsk, askYes } from "../terminal/ask";
import { findContainerConflict } from "./find-container-conflict";
import { lockProblem, parseLock, updateProblems, type Lock } from "./update-errors";
import { runPulumi, spawnPulumi } from "./run-pulumi";

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
    readonly isHolderGone: boolean,
  ) {
    super([lockProblem(stackName, lock, isHolderGone)]);
  }
}

/** Updates or destroys a stack; its last state, or {@link UpdateFailed}. */
export async function update(request: UpdateRequest): Promise<UpdateState> {
  const { stack } = request;
  const { state, exitCode, stderr } = await runUpdate(request);
  if (exitCode === 0) return state;
  const lock = parseLock(stderr);
  if (lock) throw new StackLocked(stack, lock, isHolderGone(lock));
  const { errors } = state;
  const taken = await findContainerConflict(request.folder, stack, errors);
  throw new UpdateFailed(updateProblems({ stack, errors, stderr, conflict: taken }));
}

/** Does some work that updates a stack; where a killed update left its lock, offers to take it away and does it again. */
export async function retryAfterUnlock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StackLocked) || !error.isHolderGone || !canAsk()) throw error;
    await offerCancel(folder, error);
    return await work();
  }
}

async function runUpdate(
  request: UpdateRequest,
): Promise<{ state: UpdateState; exitCode: number; stderr: string }> {
  const { folder, stack, verb, options = [], onChange } = request;
  const run = spawnPulumi(folder, [
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
    throw new Cancelled();
  }
  const { exitCode, stderr } = await runPulumi(folder, ["cancel", "--yes", "--stack", stackName]);
  if (exitCode !== 0) throw new Problem(`the lock could not be taken away: ${stderr.trim()}`);
}

/** Whether the process that holds a lock has ended; only known for a process of this machine. */
function isHolderGone(lock: Lock): boolean {
  if (lock.host !== hostname()) return false;
  try {
    return !readFileSync(`/proc/${lock.pid}/cmdline`, "utf8").includes("pulumi");
  } catch {
    return true;
  }
}
