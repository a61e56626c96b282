import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { afterEvent, noEventsYet, parseEngineEvent, type UpdateState } from "./engine-events";
import { exitStatus, type ExitStatus } from "../base/exit-status";
import { Cancelled, Problem } from "../base/problem";
import type { StackName } from "../project/stacks";
import { canAsk, askYes } from "../terminal/ask";
import { findContainerConflict } from "./find-container-conflict";
import { lockProblem, parseLock, updateProblems, type Lock } from "./update-errors";
import { runPulumi, spawnPulumi } from "./run-pulumi";

/** An update of a stack: Pulumi's verb and its further arguments. */
export interface UpdateRequest {
  readonly folder: string;
  readonly stack: StackName;
  readonly verb: "up" | "destroy";
  readonly options?: readonly string[];
  /** Called after every event. */
  readonly onChange: (state: UpdateState) => void;
}

/** Raised when an update failed: every problem once. */
export class UpdateFailed extends Error {
  override readonly name = "UpdateFailed";

  /**
   * @param problems what went wrong
   * @param exitStatus exit status of the command. @default the highest of the problems'
   */
  constructor(
    readonly problems: readonly Problem[],
    readonly exitStatus: ExitStatus = worstStatus(problems),
    /** Ids of the restores that the update asked for. */
    readonly restoreIds: ReadonlySet<string> = new Set(),
  ) {
    super(problems.map(({ message }) => message).join("\n"));
  }
}

/** A failure counts more than a rejection: the command may succeed without other input. */
function worstStatus(problems: readonly Problem[]): ExitStatus {
  const statuses = problems.map((problem) => problem.exitStatus);
  const order = [exitStatus.unhealthy, exitStatus.failed, exitStatus.rejected];
  return order.find((status) => statuses.includes(status)) ?? exitStatus.failed;
}

/** Raised when a stack is locked: by an update that is running, or by one that was killed. */
export class StackLocked extends UpdateFailed {
  constructor(
    readonly stackName: StackName,
    readonly lock: Lock,
    readonly isHolderGone: boolean,
  ) {
    super([lockProblem(stackName, lock, isHolderGone)]);
  }
}

/** Updates or destroys a stack and returns the last state of the update. Raises {@link UpdateFailed}. */
export async function update(request: UpdateRequest): Promise<UpdateState> {
  const { stack } = request;
  const { state, exitCode, stderr } = await runUpdate(request);
  if (exitCode === 0) return state;
  const lock = parseLock(stderr);
  if (lock) throw new StackLocked(stack, lock, isHolderGone(lock));
  const { errors } = state;
  const messages = errors.map(({ message }) => message);
  const conflict = await findContainerConflict(request.folder, stack, messages);
  const problems = updateProblems({ stack, errors, stderr, conflict });
  // An operation without an end was interrupted when Pulumi was killed.
  const isChanged = state.changed > 0 || state.running.size > 0;
  throw new UpdateFailed(problems, isChanged ? exitStatus.unhealthy : undefined, state.restoreIds);
}

/** Runs work that updates a stack. If a killed update left the stack locked, offers to cancel the lock and runs it again. */
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
    // Ctrl-C reaches Pulumi as well; this process ends after Pulumi has.
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
  if (!(await askYes(`Cancel the lock (pulumi cancel -s ${stackName}) and continue?`))) {
    throw new Cancelled();
  }
  const { exitCode, stderr } = await runPulumi(folder, ["cancel", "--yes", "--stack", stackName]);
  if (exitCode !== 0) {
    throw new Problem(`cannot cancel the lock: ${stderr.trim()}`, `pulumi cancel -s ${stackName}`);
  }
}

/** Whether the process that holds a lock has ended; `false` for a process on another machine. */
function isHolderGone(lock: Lock): boolean {
  if (lock.host !== hostname()) return false;
  try {
    return !readFileSync(`/proc/${lock.pid}/cmdline`, "utf8").includes("pulumi");
  } catch {
    return true;
  }
}
