import type { Pin } from "../../model/backup/catalogue";
import { pinsFromStacks } from "../../model/backup/pinned-backups";
import { engineNames } from "../../model/base/engine-names";
import { readStackDataSources } from "../../tools/stack-data-sources";

/** The backups of a stack's server that stack files in a folder refer to; retention must not remove them. */
export async function findPins(folder: string, prefix: string, stack: string): Promise<Pin[]> {
  return pinsFromStacks(
    stack,
    engineNames(prefix, stack).backupsVolume,
    await readStackDataSources(folder),
  );
}
