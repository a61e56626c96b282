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
import { serverKind } from "../../system/server-kind";

/** Time for PostgreSQL to accept connections, e.g. after a crash of the machine. */
const connectTimeoutSeconds = 600;

/** Runs a job of each kind; `undefined` where the schedule has no such job. */
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
        kind: serverKind(),
        job: name,
        settings,
        connectTimeoutSeconds,
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

/** Runs a job of the schedule; the agent's main process starts a process for each. */
export async function runJob(kind: string, name: string): Promise<JobResult> {
  const request = await readSchedule();
  const jobs = request ? scheduledJobs(request) : [];
  const found = jobs.find((one) => one.kind === kind && one.name === name);
  const result = request && found && kinds[found.kind](name, request, abortSignalOf(found));
  if (result) return result;
  const names = jobs.map((one) => `${one.kind} ${one.name}`).join(", ") || "none";
  throw new AgentError(`no job ${kind} ${name}; the jobs of this server are: ${names}`);
}

/** Aborts a job at its time limit, at the end of its window, and when the agent is stopped. */
function abortSignalOf({ name, timing }: ScheduledJob): AbortSignal {
  const { timeLimit, window, timeZone } = timing;
  const limit = timeoutSignal(
    parseDuration(timeLimit) ?? 0,
    `it exceeded its time limit of ${timeLimit}; raise timeLimit of ${name}, or find out what is slow`,
  );
  const signals = [terminationSignal(), limit];
  const parsed = window === undefined ? undefined : parseWindow(window);
  if (parsed !== undefined && window !== undefined) {
    const seconds = (windowEnd(parsed, timeZone, now()).getTime() - now().getTime()) / 1000;
    const reason = `its window ${window} closed before it ended; start ${name} earlier, or enlarge the window`;
    signals.push(timeoutSignal(seconds, reason));
  }
  return AbortSignal.any(signals);
}
