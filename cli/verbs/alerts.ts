import type { AlertsTestResult } from "../../model/backup/alerts-protocol";
import { call } from "../../engine/agent-client";
import { alignColumns } from "../base/table";
import type { StackName } from "../project/stacks";
import { findAgent } from "../server/agent";

/** `stagecraft alerts test`: sends a test alert by each channel; returns whether all accepted it. */
export async function runAlertsTest(
  folder: string,
  stack: StackName,
  { json }: { readonly json?: boolean },
): Promise<boolean> {
  const result = await call(await findAgent(folder, stack), "alerts-test", { request: {} });
  console.log(json ? JSON.stringify(result, null, 2) : alertsTestText(result));
  return result.channels.every(({ problem }) => problem === null);
}

function alertsTestText({ channels }: AlertsTestResult): string {
  return alignColumns(
    channels.map(({ channel, problem }) => [
      channel,
      problem === null ? "sent" : `failed: ${problem}`,
    ]),
  ).join("\n");
}
