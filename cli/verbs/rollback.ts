import { Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { inspectServers } from "../server/server-status";
import type { StackName } from "../project/stacks";
import { refreshTo, rejectProduction } from "./refresh";
import { rollbackTarget } from "../project/rollback-target";

/** `stagecraft rollback`: swaps in the previous version of the database, and writes its backup id into the stack file. */
export async function runRollback(
  folder: string,
  stack: StackName,
  options: { readonly json?: boolean },
): Promise<void> {
  rejectProduction(stack);
  const { settings } = readStackFile(folder, stack);
  const [server] = await inspectServers(folder, [stack]);
  const target = rollbackTarget(stack, settings, server?.observation?.databases ?? []);
  if (target instanceof Rejection) throw target;
  await refreshTo(folder, stack, { backup: target }, options);
}
