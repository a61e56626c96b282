import { Problem } from "../base/problem";
import { UpdateFailed } from "../pulumi/update";
import { runPulumi } from "../pulumi/run-pulumi";
import type { StackName } from "../project/stacks";
import { updateProblems } from "../pulumi/update-errors";

/** `stagecraft ca`: prints the CA certificate of a server (`sslrootcert` of clients) as PEM, and nothing else. */
export async function runCa(folder: string, stack: StackName): Promise<void> {
  const args = ["stack", "output", "ca", "--stack", stack];
  const { exitCode, stdout, stderr } = await runPulumi(folder, args);
  if (/does not have output property/.test(stderr) || stdout.trim() === "") {
    throw new Problem(
      `${stack} has no CA of its own: it is not running, or its certificate is configured`,
      `npm start -- ${stack}`,
    );
  }
  if (exitCode !== 0) throw new UpdateFailed(updateProblems({ stack, errors: [], stderr }));
  process.stdout.write(`${stdout.trimEnd()}\n`);
}
