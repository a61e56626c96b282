import { execa } from "execa";
import { setTimeout as sleep } from "node:timers/promises";
import { endWithTest } from "../run/test-scope";
import { limit, second } from "../time/limit.mjs";

/** How long a program may take to end in its own way when it is asked to. */
const graceful = limit(20 * second);

interface Running extends Promise<unknown> {
  readonly pid?: number;
  kill(signal: NodeJS.Signals): boolean;
}

/**
 * Ends a program that execa has started, with all that it has started, when the calling test fails or is given up.
 * @param afterwards Removes what a killed program leaves behind.
 */
export function processOfTest<T extends Running>(running: T, afterwards?: () => void): T {
  return endWithTest(running, async () => {
    await endProcesses(running);
    afterwards?.();
  });
}

/** Interrupts a program as Ctrl+C does, and kills what is left of it and of all that it has started. */
async function endProcesses(running: Running): Promise<void> {
  const { pid } = running;
  if (pid === undefined) return;
  const before = await descendants(pid);
  running.kill("SIGINT");
  const over = running.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([over, sleep(graceful, undefined, { ref: false })]);
  killAll([pid, ...before, ...(await descendants(pid))]);
}

/** Kills processes; those that have ended are no error. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended, maybe with its parent.
    }
  }
}

/** All processes that this one has started, and those that they have started. */
export async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await execa("ps", ["-A", "-o", "ppid=,pid="]);
  const pairs = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.filter(([of]) => of === parent).flatMap(([, child = 0]) => [child, ...below(child)]);
  return below(pid);
}

/** Whether one of some processes runs, among those whose command line matches; zombies do not run. */
export async function areRunning(pids: readonly number[], command: RegExp): Promise<boolean> {
  const { stdout } = await execa("ps", ["-A", "-o", "pid=,stat=,args="]);
  return stdout.split("\n").some((line) => {
    const [, pid, state = "", args = ""] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return pids.includes(Number(pid)) && !state.startsWith("Z") && command.test(args);
  });
}
