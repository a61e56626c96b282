import type { Pin } from "../../model/backup/catalogue";
import { pinsFromStacks } from "../../model/backup/pinned-backups";
import { readStackDataSources } from "../../tools/stack-data-sources";
import { Problem } from "../base/problem";
import { readStackFile } from "./stack-file";
import type { StackName } from "./stacks";

/** The backups of a stack's server that the stack files name; raises a {@link Problem} when one of them cannot be read. */
export async function readPins(folder: string, stack: StackName): Promise<Pin[]> {
  const { backupsVolume } = readStackFile(folder, stack).names;
  try {
    return pinsFromStacks(stack, backupsVolume, await readStackDataSources(folder));
  } catch (error) {
    throw new Problem((error as Error).message, "put it right; nobody knows what it names");
  }
}
