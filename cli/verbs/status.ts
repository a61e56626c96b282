import { paintFor } from "../base/paint";
import { exitStatus, type ExitStatus } from "../base/exit-status";
import { Rejection } from "../base/problem";
import { problemText } from "../base/problem-text";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";
import { inspectServers } from "../server/server-status";
import { hasProblem, statusJson, statusText } from "../text/status";

/**
 * `stagecraft status`: shows the state of servers, from the engine, their agents and Pulumi's history. A stack whose file cannot
 * be read does not hide the others. Returns the exit status: not 0 if anything is wrong.
 */
export async function runStatus(
  folder: string,
  stacks: readonly StackName[],
  { json = false }: { readonly json?: boolean },
): Promise<ExitStatus> {
  const unreadable = stacks.flatMap((stack) => {
    const rejection = rejectionOf(folder, stack);
    return rejection ? [{ stack, rejection }] : [];
  });
  const [only] = unreadable;
  if (only && unreadable.length === stacks.length) throw only.rejection;
  const broken = unreadable.map(({ stack }) => stack);
  const servers = await inspectServers(
    folder,
    stacks.filter((stack) => !broken.includes(stack)),
  );
  const now = new Date();
  const problems = unreadable.map(({ stack, rejection: { message } }) => ({
    stack,
    problem: message,
  }));
  console.log(
    json ? statusJson(servers, problems) : statusText(servers, now, paintFor(process.stdout)),
  );
  for (const { rejection } of unreadable)
    console.error(problemText(rejection, paintFor(process.stderr)));
  if (unreadable.length > 0) return exitStatus.rejected;
  return hasProblem(servers, now) ? exitStatus.failed : exitStatus.done;
}

function rejectionOf(folder: string, stack: StackName): Rejection | undefined {
  try {
    readStackFile(folder, stack);
    return undefined;
  } catch (error) {
    if (error instanceof Rejection) return error;
    throw error;
  }
}
