import { channels, stillBadAlert, testAlert, type Alert } from "../../../model/backup/alerts";
import type { AlertsTestResult } from "../../../model/backup/alerts-protocol";
import { readSchedule } from "../../jobs/schedule";
import { now } from "../../system/clock";
import { AgentError } from "../../system/errors";
import { recordSending } from "./channel-states";
import { otherProblems } from "./other-problems";
import { trySending } from "./send";

/** Sends a test alert by each configured channel, once, and says which accepted it. */
export async function testAlerts(server: string): Promise<AlertsTestResult> {
  const request = await readSchedule();
  const settings = request?.alerts ?? {};
  const configured = channels.filter((channel) => settings[channel]);
  if (!request || configured.length === 0)
    throw new AgentError(
      "this server has no alerts; set backups.alerts in the stack file and run pulumi up",
    );
  const alert = testAlert(server, now());
  // A test must not turn the check of a dead man's switch green while something is wrong.
  const problems = await otherProblems(request);
  const job = { kind: "backup", name: null, succeeded: true, finishedAt: alert.at, text: "" };
  const ping: Alert = problems.length === 0 ? alert : stillBadAlert(server, job, problems);
  const results = await Promise.all(
    configured.map(async (channel) => {
      const sent = channel === "ping" ? ping : alert;
      const problem = await trySending(settings, channel, sent);
      await recordSending(channel, problem).catch(() => undefined);
      return { channel, problem: problem ?? null };
    }),
  );
  return { channels: results };
}
