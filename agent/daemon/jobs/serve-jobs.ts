import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { BackupsRequest } from "../../../model/backup/protocol";
import { sendJobAlert } from "../alerts/job-alert";
import { readSchedule, scheduleFile } from "../../jobs/schedule";
import { now, tickMs } from "../../system/clock";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { JobProcess } from "./job-process";
import { Scheduler } from "../../jobs/scheduler";
import { saveJobStates, readJobStates } from "../../jobs/job-states";

/** Seconds that a job has to end in order when the agent is stopped. */
const stopSeconds = 20;

/** Runs the jobs of the schedule at their times, until it is stopped; how to stop it. */
export function serveJobs(): () => Promise<void> {
  const job = new JobProcess();
  const scheduler = new Scheduler({
    ...{ now, log: logLine, load: readJobStates, save: saveJobStates },
    schedule: rereadSchedule(),
    run: async (scheduled) => {
      const result = await job.run(scheduled);
      // The next job does not wait for people to be reached.
      void sendJobAlert(result);
      return result;
    },
  });
  let told = "";
  const timer = setInterval(() => {
    scheduler.tick().catch((error: unknown) => {
      // Once, not every second.
      if (told !== messageOf(error)) logLine(`the schedule waits: ${messageOf(error)}`);
      told = messageOf(error);
    });
  }, tickMs);
  return async () => {
    clearInterval(timer);
    job.end("SIGTERM");
    await Promise.race([scheduler.running, sleep(stopSeconds * 1000)]);
  };
}

/** What is in force, read again only when it has changed. */
function rereadSchedule(): () => Promise<BackupsRequest | undefined> {
  let seen = "";
  let known: BackupsRequest | undefined;
  return async () => {
    const found = await stat(scheduleFile).catch(() => undefined);
    const version = found ? `${found.mtimeMs} ${found.ino}` : "";
    if (version !== seen) known = await readSchedule();
    seen = version;
    return known;
  };
}
