import { spawn, type ChildProcess } from "node:child_process";
import { text } from "node:stream/consumers";
import { jobResultSchema, type JobResult } from "../../../model/backup/protocol";
import type { ScheduledJob } from "../../../model/backup/scheduled-jobs";
import { parseDuration } from "../../../model/base/units";
import { now } from "../../system/clock";

/** Seconds after its time limit in which a job may shut down before it is killed. */
const graceSeconds = 60;

/** Runs a job in a process of its own, so that a crash of the job does not stop the agent. */
export class JobProcess {
  #child: ChildProcess | undefined;

  /** Runs a job and returns its result; a failed one when the process ended without a result. */
  async run({ kind, name, timing }: ScheduledJob): Promise<JobResult> {
    const startedAt = now().toISOString();
    const [script = ""] = process.argv.slice(1);
    // A process group of its own, so that its child processes can be killed with it.
    const child = spawn(process.execPath, [...process.execArgv, script, "job", kind, name], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    const limit = (parseDuration(timing.timeLimit) ?? 0) + graceSeconds;
    const timer = setTimeout(
      () => {
        this.end("SIGKILL");
      },
      Math.min(limit * 1000, 2 ** 31 - 1),
    );
    try {
      const [output, exit] = await Promise.all([
        text(child.stdout),
        new Promise<string>((resolve, reject) => {
          child.on("error", reject);
          child.on("exit", (status, signal) => {
            // Remaining processes of the group keep stdout open.
            this.end("SIGKILL");
            resolve(signal ?? `status ${status ?? ""}`);
          });
        }),
      ]);
      return (
        parseResult(output) ?? {
          kind,
          name,
          succeeded: false,
          startedAt,
          finishedAt: now().toISOString(),
          text: `${name} ended without a result (${exit})`,
          backup: null,
        }
      );
    } finally {
      clearTimeout(timer);
      this.#child = undefined;
    }
  }

  /** Sends a signal to all processes of the job. */
  end(signal: "SIGTERM" | "SIGKILL"): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The process group has ended.
    }
  }
}

function parseResult(output: string): JobResult | undefined {
  try {
    return jobResultSchema.safeParse(JSON.parse(output)).data;
  } catch {
    return undefined;
  }
}
