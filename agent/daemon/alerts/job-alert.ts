import { readFile } from "node:fs/promises";
import { jobAlert, secretsOfAlerts } from "../../../model/backup/alerts";
import type { BackupsRequest, JobResult } from "../../../model/backup/protocol";
import { hideSecrets } from "../../../model/base/hide-secrets";
import { secretsOf } from "../../offsite/remote";
import { readCatalogue } from "../../repository/repository";
import { readSchedule } from "../../jobs/schedule";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { logPath } from "../../system/restore-reports";
import { sendAlert } from "./send";

/** Lines of the log that people are sent. */
const tailLines = 20;

/** Tells people what became of a job. Whatever goes wrong here is told of, and no more: the job is done. */
export async function sendJobAlert(job: JobResult): Promise<void> {
  try {
    const request = await readSchedule();
    // Silence of the ping means that no backup was made; other jobs do not break it.
    if (!request?.alerts || (job.succeeded && job.kind !== "backup")) return;
    const hide = (text: string): string => hideSecrets(text, secretsIn(request));
    const log = job.succeeded ? [] : await logTail(job);
    const alert = jobAlert(request.server, { ...job, text: hide(job.text) }, log.map(hide));
    await sendAlert(request.alerts, alert);
  } catch (error) {
    logLine(`nobody could be told of the job: ${messageOf(error)}`);
  }
}

function secretsIn({ offsite, alerts }: BackupsRequest): string[] {
  return [...(offsite ? secretsOf(offsite) : []), ...(alerts ? secretsOfAlerts(alerts) : [])];
}

/** The last lines of the last log of an attempt. */
async function logTail({ backup }: JobResult): Promise<string[]> {
  const entry = (await readCatalogue()).find(({ id }) => id === backup);
  const name = entry?.attempt?.logs.at(-1);
  if (name === undefined) return [];
  const text = await readFile(logPath(name), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-tailLines);
}
