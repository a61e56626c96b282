import { previousVersionName } from "../../model/base/names";
import { repositoryOf } from "../../model/stack-file/data-origin";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { inspectServers } from "../server/server-status";
import type { StackName } from "../project/stacks";
import { refreshTo, rejectProduction } from "./refresh";

/** `stagecraft rollback`: brings back what the last refresh replaced, and pins its id. */
export async function runRollback(
  folder: string,
  stack: StackName,
  options: { readonly json?: boolean },
): Promise<void> {
  rejectProduction(stack);
  const { settings } = readStackFile(folder, stack);
  const database = settings.database?.name ?? "";
  const [server] = await inspectServers(folder, [stack]);
  const copy = previousVersionName(database);
  const previous = server?.observation?.databases.find(({ name }) => name === copy);
  if (!previous?.stamp) {
    throw new Problem(
      `there is no ${copy} on ${stack}, so nothing to go back to`,
      `npx stagecraft refresh ${stack} --backup <id>`,
    );
  }
  const { backup, repository, name } = previous.stamp.source;
  if (backup === undefined || repository === undefined) {
    throw new Problem(
      `${copy} was made of the dump ${name}, which no backup id names`,
      `name that dump in Pulumi.${stack}.yaml again and run: npx stagecraft up ${stack}`,
    );
  }
  const place = repositoryOf(settings.data ?? {}, settings.namePrefix ?? "");
  if (place !== repository) {
    throw new Problem(
      `${copy} holds ${backup} of ${repository}, and stagecraft:data of ${stack} leads to ${place ?? "a dump"} now`,
      `name that place again in Pulumi.${stack}.yaml, with backup: ${backup}, and run: npx stagecraft up ${stack}`,
    );
  }
  await refreshTo(folder, stack, backup, options);
}
