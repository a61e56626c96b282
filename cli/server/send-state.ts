import { send } from "../../engine/agent-client";
import { EngineProblem } from "../../engine/problems";
import { readStackFile } from "../project/stack-file";
import { runPulumi } from "../pulumi/run-pulumi";
import type { StackName } from "../project/stacks";

/** Sends the stack's state to the agent, which adds it to backups: the server can be recreated from it. Secrets stay encrypted. */
export async function sendStackState(folder: string, stack: StackName): Promise<void> {
  const { host, names } = readStackFile(folder, stack);
  const { exitCode, stdout } = await runPulumi(folder, ["stack", "export", "--stack", stack]);
  if (exitCode !== 0) return;
  try {
    await send({ host, agent: names.agent }, "keep-state", stdout);
  } catch (error) {
    // A backup of the databases is useful without it, too.
    if (!(error instanceof EngineProblem)) throw error;
  }
}
