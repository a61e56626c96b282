import { workOfAgent } from "./docker";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { runPulumi } from "../pulumi/run-pulumi";
import type { StackName } from "../project/stacks";

/** Gives the agent what the stack is, for its backups: with it the server can be made again. Its secrets stay encrypted. */
export async function sendStackState(folder: string, stack: StackName): Promise<void> {
  const { host, names } = readStackFile(folder, stack);
  const { exitCode, stdout } = await runPulumi(folder, ["stack", "export", "--stack", stack]);
  if (exitCode !== 0) return;
  try {
    await workOfAgent(host, names.agent, ["keep-state"], stdout, () => undefined);
  } catch (error) {
    // A backup of the databases is worth having also without it.
    if (!(error instanceof Problem)) throw error;
  }
}
