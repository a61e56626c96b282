import { jobResultSchema, type JobResult } from "../../model/backup/protocol";
import { workOfAgent } from "../server/docker";
import { sendStackState } from "../server/send-state";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";
import { StepList } from "../terminal/steps";
import { backupFailure, backupJson, backupText } from "../text/backup";
import { agentLine } from "../pulumi/progress";

/** How a backup is asked for. */
export interface BackupCommandOptions {
  readonly json?: boolean;
  /** The job whose databases and format it has. */
  readonly job?: string;
}

/** `stagecraft backup`: has the agent make a backup now; whether it came about. */
export async function runBackup(
  folder: string,
  stack: StackName,
  { json = false, job }: BackupCommandOptions,
): Promise<boolean> {
  const { host, names } = readStackFile(folder, stack);
  await sendStackState(folder, stack);
  const request = JSON.stringify({ server: stack, job: job ?? null });
  // For a program nothing but the result is on stdout.
  const steps = new StepList(json ? process.stderr : process.stdout);
  const withBar = process.stdout.isTTY && !json;
  const run = async (tell: (text: string) => void): Promise<JobResult> => {
    const { stdout, stderr } = await workOfAgent(host, names.agent, ["backup"], request, (line) => {
      tell(agentLine(line, withBar));
    });
    const result = parseResult(stdout);
    if (!result) throw new Problem(`the agent of ${stack} made no backup: ${stderr.trim()}`);
    if (!result.succeeded) throw new BackupFailed(result);
    return result;
  };
  let made: JobResult | undefined;
  try {
    await steps.run(`backup of ${stack}`, async (tell) => {
      made = await run(tell);
      return {};
    });
  } catch (error) {
    if (!(error instanceof BackupFailed)) throw error;
    if (json) console.log(backupJson(error.result));
    else console.error(backupFailure(error.result));
    return false;
  }
  if (made) console.log(json ? backupJson(made) : backupText(stack, made));
  return true;
}

class BackupFailed extends Error {
  constructor(readonly result: JobResult) {
    super(result.text);
  }
}

function parseResult(stdout: string): JobResult | undefined {
  try {
    return jobResultSchema.safeParse(JSON.parse(stdout)).data;
  } catch {
    return undefined;
  }
}
