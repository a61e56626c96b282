import type { Pin } from "../../model/backup/catalogue";
import { pinsOf } from "../../model/backup/pins";
import { engineNames } from "../../model/base/engine-names";
import { namedBackups } from "../../tools/named-backups";

/** The backups of a stack's server that the stack files in a folder name, and that must stay therefore. */
export async function findPins(folder: string, prefix: string, stack: string): Promise<Pin[]> {
  return pinsOf(stack, engineNames(prefix, stack).backupsVolume, await namedBackups(folder));
}
