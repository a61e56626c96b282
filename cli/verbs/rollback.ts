import { previousVersionName } from "../../model/base/names";
import { repositoryOf } from "../../model/stack-file/data-origin";
import { Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { inspectServers } from "../server/server-status";
import type { StackName } from "../project/stacks";
import { refreshTo, rejectProduction } from "./refresh";

/** `stagecraft rollback`: swaps in the previous version of the database, and writes its backup id into the stack file. */
export async function runRollback(
  folder: string,
  stack: StackName,
  options: { readonly json?: boolean },
): Promise<void> {
  rejectProduction(stack);
  const { settings } = readStackFile(folder, stack);
  const database = settings.database?.name ?? "";
  const [server] = await inspectServers(folder, [stack]);
  const previousName = previousVersionName(database);
  const previous = server?.observation?.databases.find(({ name }) => name === previousName);
  if (!previous?.stamp) {
    throw new Rejection(
      `${stack} has no previous version ${previousName} to roll back to`,
      `npx stagecraft refresh ${stack} --backup <id>`,
    );
  }
  const { backup, repository, name } = previous.stamp.source;
  if (backup === undefined || repository === undefined) {
    throw new Rejection(
      `${previousName} was restored from the dump ${name}, which has no backup id`,
      `set that dump in Pulumi.${stack}.yaml again and run: npx stagecraft up ${stack}`,
    );
  }
  const configured = repositoryOf(settings.data ?? {}, settings.namePrefix ?? "");
  if (configured !== repository) {
    throw new Rejection(
      `${previousName} was restored from ${backup} in ${repository}, but stagecraft:data of ${stack} now refers to ${configured ?? "a dump"}`,
      `set stagecraft:data in Pulumi.${stack}.yaml to that repository again, with backup: ${backup}, and run: npx stagecraft up ${stack}`,
    );
  }
  await refreshTo(folder, stack, backup, options);
}
