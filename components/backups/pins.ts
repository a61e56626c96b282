import type { Pin } from "../../model/backup/catalogue";
import { pinsFromStacks, pinWarnings } from "../../model/backup/pinned-backups";
import { engineNames } from "../../model/base/engine-names";
import { readStackDataSources } from "../../tools/stack-data-sources";

/** The backups of a server that other stacks use, and what is wrong with the files of these stacks. */
interface FoundPins {
  readonly pins: Pin[];
  /** A sentence each. */
  readonly warnings: readonly string[];
}

/** The backups of a stack's server that stack files in a folder refer to; retention must not remove them. */
export async function findPins(folder: string, prefix: string, stack: string): Promise<FoundPins> {
  const { backupsVolume } = engineNames(prefix, stack);
  const sources = await readStackDataSources(folder);
  return {
    pins: pinsFromStacks(stack, backupsVolume, sources),
    warnings: pinWarnings(stack, backupsVolume, sources),
  };
}
