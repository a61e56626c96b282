import type { Pin } from "../../model/backup/catalogue";
import { pinsFromStacks, pinWarnings } from "../../model/backup/pinned-backups";
import { readStackDataSources } from "../../tools/stack-data-sources";
import { readStackFile } from "./stack-file";
import type { StackName } from "./stacks";

/** The backups of a server that any stack file names. Prints what is wrong with the files of other stacks to stderr. */
export async function readPins(folder: string, stack: StackName): Promise<Pin[]> {
  const { backupsVolume } = readStackFile(folder, stack).names;
  const sources = await readStackDataSources(folder);
  for (const text of pinWarnings(stack, backupsVolume, sources)) console.error(`warning: ${text}`);
  return pinsFromStacks(stack, backupsVolume, sources);
}
