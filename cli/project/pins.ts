import type { Pin } from "../../model/backup/catalogue";
import { pinsOf } from "../../model/backup/pins";
import { namedBackups } from "../../tools/named-backups";
import { Problem } from "../base/problem";
import { readStackFile } from "./project";
import type { StackName } from "./stacks";

/** The backups of a stack's server that the stack files name; raises a {@link Problem} when one of them cannot be read. */
export async function readPins(folder: string, stack: StackName): Promise<Pin[]> {
  const { backupsVolume } = readStackFile(folder, stack).names;
  try {
    return pinsOf(stack, backupsVolume, await namedBackups(folder));
  } catch (error) {
    throw new Problem((error as Error).message, "put it right; nobody knows what it names");
  }
}
