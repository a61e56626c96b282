import { readFile } from "node:fs/promises";
import { jobAlert, secretsOfAlerts, stillBadAlert } from "../../../model/backup/alerts";
import type { BackupsRequest, JobResult } from "../../../model/backup/protocol";
import { hideSecrets } from "../../../model/base/hide-secrets";
import { secretsOf } from "../../offsite/remote";
import { readBackupCatalogue } from "../../repository/repository";
import { readSchedule } from "../../jobs/schedule";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { logPath } from "../../system/restore-reports";
import { otherProblems } from "./other-problems";
import { sendAlert } from "./send";

/** Log lines included in an alert. */
const tailLines = 20;

/** Sends the result of a job to the alert channels. A failure to send is only logged: the job has ended. */
export async function sendJobAlert(job: JobResult): Promise<void> {
  try {
    const request = await readSchedule();
    // A missing ping means that no backup was made, so the success of other jobs sends none.
    if (!request?.alerts || (job.succeeded && job.kind !== "backup")) return;
    const hide = (text: string): string => hideSecrets(text, secretsIn(request));
    const log = job.succeeded ? [] : await logTail(job);
    const alert = jobAlert(request.server, { ...job, text: hide(job.text) }, log.map(hide));
    const problems = job.succeeded ? await otherProblems(request, job) : [];
    // A ping of one job must not hide that another one has failed.
    if (problems.length > 0)
      await sendAlert(request.alerts, stillBadAlert(request.server, job, problems.map(hide)), [
        "ping",
      ]);
    else await sendAlert(request.alerts, alert);
  } catch (error) {
    logLine(`cannot send the result of ${describe(job)}: ${messageOf(error)}`);
  }
}

function describe({ kind, name }: JobResult): string {
  return name === null ? `a manual ${kind}` : `job ${name}`;
}

function secretsIn({ offsite, alerts }: BackupsRequest): string[] {
  return [...(offsite ? secretsOf(offsite) : []), ...(alerts ? secretsOfAlerts(alerts) : [])];
}

/** The last lines of the last log of a backup attempt. */
async function logTail({ backup }: JobResult): Promise<string[]> {
  const entry = (await readBackupCatalogue()).find(({ id }) => id === backup);
  const name = entry?.attempt?.logs.at(-1);
  if (name === undefined) return [];
  const text = await readFile(logPath(name), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-tailLines);
}
