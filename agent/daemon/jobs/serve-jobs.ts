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

/** Seconds in which a running job may shut down when the agent is stopped. */
const stopSeconds = 20;

/** Runs scheduled jobs at their times; returns a function that stops it. */
export function serveJobs(): () => Promise<void> {
  const job = new JobProcess();
  const scheduler = new Scheduler({
    now,
    log: logLine,
    load: readJobStates,
    save: saveJobStates,
    schedule: cachedSchedule(),
    run: async (scheduled) => {
      const result = await job.run(scheduled);
      // The next job does not wait for the alert.
      void sendJobAlert(result);
      return result;
    },
  });
  let lastError = "";
  const timer = setInterval(() => {
    scheduler.tick().catch((error: unknown) => {
      // Logged once, not every second.
      if (lastError !== messageOf(error)) logLine(`cannot run scheduled jobs: ${messageOf(error)}`);
      lastError = messageOf(error);
    });
  }, tickMs);
  return async () => {
    clearInterval(timer);
    job.end("SIGTERM");
    await Promise.race([scheduler.running, sleep(stopSeconds * 1000)]);
  };
}

/** Reads the applied schedule, and its file again only when that has changed. */
function cachedSchedule(): () => Promise<BackupsRequest | undefined> {
  let cachedVersion = "";
  let cached: BackupsRequest | undefined;
  return async () => {
    const found = await stat(scheduleFile).catch(() => undefined);
    const version = found ? `${found.mtimeMs} ${found.ino}` : "";
    if (version !== cachedVersion) cached = await readSchedule();
    cachedVersion = version;
    return cached;
  };
}
