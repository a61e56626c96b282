import { Problem } from "../problem";
import { pulumi, UpdateFailed } from "../pulumi";
import type { StackName } from "../stacks";
import { updateProblems } from "../text/update-errors";

/** `stagecraft password`: the password of the database's owner, and nothing else. */
export async function password(folder: string, stack: StackName): Promise<void> {
  const args = ["config", "get", "stagecraft:password", "--stack", stack];
  const { exitCode, stdout, stderr } = await pulumi(folder, args);
  if (exitCode === 0) {
    console.log(stdout.trim());
    return;
  }
  if (/configuration key .* not found/i.test(stderr)) {
    throw new Problem(`stack ${stack} has no password yet`, `npm start -- ${stack}`);
  }
  throw new UpdateFailed(updateProblems({ stack, errors: [], stderr }));
}
