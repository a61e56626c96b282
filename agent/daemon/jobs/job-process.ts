import { spawn, type ChildProcess } from "node:child_process";
import { text } from "node:stream/consumers";
import { jobResultSchema, type JobResult } from "../../../model/backup/protocol";
import type { ScheduledJob } from "../../../model/backup/scheduled-jobs";
import { parseDuration } from "../../../model/base/units";
import { now } from "../../system/clock";

/** Seconds that a job has beyond its time limit to end by itself. */
const graceSeconds = 60;

/** A job in a process of its own: whatever becomes of it, the agent goes on. */
export class JobProcess {
  #child: ChildProcess | undefined;

  /** Does a job; what became of it, also when it did not live to tell. */
  async run({ kind, name, timing }: ScheduledJob): Promise<JobResult> {
    const startedAt = now().toISOString();
    const [script = ""] = process.argv.slice(1);
    // A group of its own, so that all that it starts can be ended with it.
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
      const [said, how] = await Promise.all([
        text(child.stdout),
        new Promise<string>((resolve, reject) => {
          child.on("error", reject);
          child.on("exit", (status, signal) => {
            // What is left of the group holds stdout, and may write on.
            this.end("SIGKILL");
            resolve(signal ?? `status ${status ?? ""}`);
          });
        }),
      ]);
      return (
        parseResult(said) ?? {
          ...{ kind, name, succeeded: false, startedAt, finishedAt: now().toISOString() },
          ...{ text: `${name} ended without a result (${how})`, backup: null },
        }
      );
    } finally {
      clearTimeout(timer);
      this.#child = undefined;
    }
  }

  /** Ends what the job consists of. */
  end(signal: "SIGTERM" | "SIGKILL"): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended.
    }
  }
}

function parseResult(said: string): JobResult | undefined {
  try {
    return jobResultSchema.safeParse(JSON.parse(said)).data;
  } catch {
    return undefined;
  }
}
