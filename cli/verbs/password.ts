import { Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { UpdateFailed } from "../pulumi/update";
import { runPulumi } from "../pulumi/run-pulumi";
import type { StackName } from "../project/stacks";
import { updateProblems } from "../pulumi/update-errors";

/** `stagecraft password`: prints the password of a role, and nothing else. */
export async function runPassword(folder: string, stack: StackName, role: string): Promise<void> {
  const { settings, missingPasswords } = readStackFile(folder, stack);
  if (missingPasswords.includes(role)) {
    throw new Rejection(`${role} has no password on stack ${stack} yet`, `npm start -- ${stack}`);
  }
  const roles = ["application", "readonly", "monitor", ...Object.keys(settings.people ?? {})];
  if (!roles.includes(role)) {
    throw new Rejection(`stack ${stack} has no role "${role}"`, `use one of ${roles.join(", ")}`);
  }
  const args = ["config", "get", "--path", `stagecraft:passwords.${role}`, "--stack", stack];
  const { exitCode, stdout, stderr } = await runPulumi(folder, args);
  if (exitCode === 0) {
    console.log(stdout.replace(/\n$/, ""));
    return;
  }
  if (/configuration key .* not found/i.test(stderr)) {
    throw new Rejection(`${role} has no password on stack ${stack}`, noLogin(role));
  }
  throw new UpdateFailed(updateProblems({ stack, errors: [], stderr }));
}

function noLogin(role: string): string {
  return `none is needed: people.${role} has no rights in the databases of this server`;
}
