import { previousVersionName, type BackupId } from "../../model/base/names";
import type { DatabaseFacts } from "../../model/restore/protocol";
import { repositoryOf } from "../../model/stack-file/data-origin";
import type { StackFileConfig } from "../../model/stack-file/schema";
import { Rejection } from "../base/problem";
import type { StackName } from "./stacks";

/** The backup that a rollback of a stack returns to, or why there is none. */
export function rollbackTarget(
  stack: StackName,
  { database, data = {}, namePrefix = "" }: Partial<StackFileConfig>,
  databases: readonly DatabaseFacts[],
): BackupId | Rejection {
  const file = `Pulumi.${stack}.yaml`;
  const previousName = previousVersionName(database?.name ?? "");
  const previous = databases.find(({ name }) => name === previousName);
  if (!previous?.stamp) {
    return new Rejection(
      `${stack} has no previous version ${previousName} to roll back to`,
      `npx stagecraft refresh ${stack} --backup <id>`,
    );
  }
  const { backup, repository, name } = previous.stamp.source;
  if (backup === undefined || repository === undefined) {
    return new Rejection(
      `${previousName} was restored from the dump ${name}, which is not a backup of a server`,
      `set stagecraft:data in ${file} to { dump: <path of ${name}> } and run: npx stagecraft up ${stack}`,
    );
  }
  const configured = repositoryOf(data, namePrefix);
  if (configured !== repository) {
    return new Rejection(
      `${previousName} was restored from ${backup} in ${repository}, but stagecraft:data of ${stack} now refers to ${configured ?? otherData(data)}`,
      `set stagecraft:data in ${file} to that repository again, with backup: ${backup}, and run: npx stagecraft up ${stack}`,
    );
  }
  return backup;
}

/** What a `data` section that refers to no backups of a server names. */
function otherData({ dump, from }: Partial<StackFileConfig["data"]>): string {
  if (dump !== undefined) return `the dump ${dump}`;
  return from === undefined ? "nothing" : `the folder ${from}`;
}
