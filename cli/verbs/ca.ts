import { Problem } from "../base/problem";
import { UpdateFailed } from "../pulumi/update";
import { runPulumi } from "../pulumi/run-pulumi";
import type { StackName } from "../project/stacks";
import { updateProblems } from "../pulumi/update-errors";

/** `stagecraft ca`: what clients check the server's certificate with (`sslrootcert`), as PEM, and nothing else. */
export async function runCa(folder: string, stack: StackName): Promise<void> {
  const { exitCode, stdout, stderr } = await runPulumi(folder, [
    ...["stack", "output", "ca", "--stack", stack],
  ]);
  if (/does not have output property/.test(stderr) || stdout.trim() === "") {
    throw new Problem(
      `${stack} has no authority of its own: it is not up, or its certificate was given`,
      `npm start -- ${stack}`,
    );
  }
  if (exitCode !== 0) throw new UpdateFailed(updateProblems({ stack, errors: [], stderr }));
  process.stdout.write(`${stdout.trimEnd()}\n`);
}
