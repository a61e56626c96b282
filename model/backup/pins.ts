import type { BackupId } from "../base/names";
import type { Pin } from "./catalogue";

/** What a stack says about where its data is from. */
export interface NamedBackup {
  readonly stack: string;
  /** `data.from` of its stack file, e.g. `server:prod`. */
  readonly from: string | undefined;
  /** `data.backup` of its stack file. */
  readonly backup: BackupId | undefined;
}

/**
 * The backups of a server that stacks name, which must not be removed.
 *
 * @param stack whose backups they are
 * @param volume the volume they lie in
 */
export function pinsOf(stack: string, volume: string, named: readonly NamedBackup[]): Pin[] {
  return named.flatMap(({ from, backup, ...by }) => {
    const isHere = from === `server:${stack}` || from === `volume:${volume}`;
    return isHere && backup !== undefined ? [{ backup, by: by.stack }] : [];
  });
}
