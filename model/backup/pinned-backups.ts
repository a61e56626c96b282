import type { BackupId } from "../base/names";
import type { Pin } from "./catalogue";

/** The source of a stack's data, as its stack file names it. */
export interface StackDataSource {
  readonly stack: string;
  /** `data.from` of its stack file, e.g. `server:prod`. */
  readonly from: string | undefined;
  /** `data.backup` of its stack file. */
  readonly backup: BackupId | undefined;
}

/**
 * The backups of a server that stack files refer to. They must not be deleted.
 *
 * @param stack stack of the server
 * @param volume volume of the server's backups
 */
export function pinsFromStacks(
  stack: string,
  volume: string,
  sources: readonly StackDataSource[],
): Pin[] {
  return sources.flatMap(({ from, backup, ...by }) => {
    const isHere = from === `server:${stack}` || from === `volume:${volume}`;
    return isHere && backup !== undefined ? [{ backup, by: by.stack }] : [];
  });
}
