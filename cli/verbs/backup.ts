import type { JobResult } from "../../model/backup/protocol";
import { call } from "../../engine/agent-client";
import { sendStackState } from "../server/send-state";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";
import { StepList, type ReportProgress } from "../terminal/steps";
import { backupFailure, backupJson, backupText } from "../text/backup";
import { agentLine } from "../pulumi/progress";

/** Options of `stagecraft backup`. */
export interface BackupCommandOptions {
  readonly json?: boolean;
  /** The job whose databases and format to use. */
  readonly job?: string;
}

/** `stagecraft backup`: lets the agent make a backup now; whether it succeeded. */
export async function runBackup(
  folder: string,
  stack: StackName,
  { json = false, job }: BackupCommandOptions,
): Promise<boolean> {
  const { host, names } = readStackFile(folder, stack);
  await sendStackState(folder, stack);
  // With --json, stdout contains only the result.
  const steps = new StepList(json ? process.stderr : process.stdout);
  const withBar = process.stdout.isTTY && !json;
  const run = async (report: ReportProgress): Promise<JobResult> => {
    const agent = { server: stack, host, agent: names.agent };
    const result = await call(agent, "backup", {
      request: { job: job ?? null },
      onLine: (line) => {
        report(agentLine(line, withBar));
      },
    });
    if (!result.succeeded) throw new BackupFailed(result);
    return result;
  };
  let created: JobResult | undefined;
  try {
    await steps.run(`backup of ${stack}`, async (report) => {
      created = await run(report);
      return {};
    });
  } catch (error) {
    if (!(error instanceof BackupFailed)) throw error;
    if (json) console.log(backupJson(error.result));
    else console.error(backupFailure(error.result));
    return false;
  }
  if (created) console.log(json ? backupJson(created) : backupText(stack, created));
  return true;
}

class BackupFailed extends Error {
  constructor(readonly result: JobResult) {
    super(result.text);
  }
}
