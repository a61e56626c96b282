import type { Pin } from "../../model/backup/catalogue";
import { pinsFromStacks } from "../../model/backup/pinned-backups";
import { readStackDataSources } from "../../tools/stack-data-sources";
import { Rejection } from "../base/problem";
import { readStackFile } from "./stack-file";
import type { StackName } from "./stacks";

/** The backups of a server that any stack file names. Raises a {@link Rejection} when a stack file cannot be read. */
export async function readPins(folder: string, stack: StackName): Promise<Pin[]> {
  const { backupsVolume } = readStackFile(folder, stack).names;
  try {
    return pinsFromStacks(stack, backupsVolume, await readStackDataSources(folder));
  } catch (error) {
    throw new Rejection(
      (error as Error).message,
      "fix that file; a backup that it names must not be removed",
    );
  }
}
