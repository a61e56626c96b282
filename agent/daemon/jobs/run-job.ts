import type { BackupsRequest, JobKind, JobResult } from "../../../model/backup/protocol";
import { scheduledJobs, type ScheduledJob } from "../../../model/backup/scheduled-jobs";
import { parseWindow, windowEnd } from "../../../model/backup/daily-window";
import { parseDuration } from "../../../model/base/units";
import { makeBackup } from "../../backup/backup";
import { copyAfterBackup } from "../../offsite/after-backup";
import { readSchedule } from "../../jobs/schedule";
import { now } from "../../system/clock";
import { AgentError } from "../../system/errors";
import { timeoutSignal, terminationSignal } from "../../jobs/abort-signals";
import { maintain } from "./maintenance";
import { verifyAndPrune } from "./verify-job";
import { ownKind } from "./backup-now";

/** Seconds that PostgreSQL may take to answer, as it may after a crash of the machine. */
const patienceSeconds = 600;

/** How a job of each kind is done. */
const kinds: Readonly<
  Record<
    JobKind,
    (name: string, request: BackupsRequest, signal: AbortSignal) => Promise<JobResult> | undefined
  >
> = {
  backup: (name, { server, jobs, offsite }, signal) => {
    const settings = jobs[name];
    return (
      settings &&
      makeBackup({
        server,
        kind: ownKind(),
        job: name,
        settings,
        connectTimeoutSeconds: patienceSeconds,
        signal,
      }).then((result) => copyAfterBackup(offsite, server, result, signal))
    );
  },
  verification: (name, request, signal) => request.verify && verifyAndPrune(name, request, signal),
  maintenance: (name, { server, maintenance }, signal) => {
    const settings = maintenance[name];
    return settings && maintain(server, name, settings, signal);
  },
};

/** Does a job of the schedule now; the agent's main process calls this at its time, in a process of its own. */
export async function job(kind: string, name: string): Promise<JobResult> {
  const request = await readSchedule();
  const jobs = request ? scheduledJobs(request) : [];
  const found = jobs.find((one) => one.kind === kind && one.name === name);
  const result = request && found && kinds[found.kind](name, request, endOf(found));
  if (result) return result;
  const names = jobs.map((one) => `${one.kind} ${one.name}`).join(", ") || "none";
  throw new AgentError(`there is no job ${kind} ${name}; the jobs of this server are: ${names}`);
}

/** When a job has to end: after its time, when its window closes, when the agent is stopped. */
function endOf({ name, timing }: ScheduledJob): AbortSignal {
  const { timeLimit, window, timeZone } = timing;
  const limit = timeoutSignal(
    parseDuration(timeLimit) ?? 0,
    `it was not done within its time limit of ${timeLimit}; set timeLimit of ${name} higher, or see what is slow`,
  );
  const signals = [terminationSignal(), limit];
  const parsed = window === undefined ? undefined : parseWindow(window);
  if (parsed !== undefined && window !== undefined) {
    const seconds = (windowEnd(parsed, timeZone, now()).getTime() - now().getTime()) / 1000;
    const reason = `its window ${window} closed before it was done; let ${name} begin earlier, or make the window larger`;
    signals.push(timeoutSignal(seconds, reason));
  }
  return AbortSignal.any(signals);
}
